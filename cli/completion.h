/* SPDX-License-Identifier: MulanPSL-2.0 */
/*
 * The bash completion, out of the table of verbs. Pure.
 */
#pragma once

#include "lib/base/buffer.h"

/* Appends the script: what packaging/completion/cci.bash holds, byte for byte. */
void completion_write_bash(struct buffer *out);

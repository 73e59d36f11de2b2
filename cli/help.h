/* SPDX-License-Identifier: MulanPSL-2.0 */
/*
 * The help texts, out of the table of verbs. Pure.
 */
#pragma once

#include "cli/verb.h"
#include "lib/base/buffer.h"

/* The help of the whole program. */
void help_program(struct buffer *out);

/* The help of one verb. */
void help_verb(struct buffer *out, const struct verb *verb);

/* "usage: cci submit [OPTION...] FILE|- [KEY=VALUE...]" with a newline, for a mistake. */
void help_usage(struct buffer *out, const struct verb *verb);

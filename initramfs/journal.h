/* SPDX-License-Identifier: MulanPSL-2.0 */
/*
 * The end of the log of this boot, for a report.
 */
#pragma once

#include <stddef.h>

#include "lib/base/buffer.h"

/*
 * Appends at most `max` bytes of the newest lines to an empty buffer: of journalctl where the
 * initramfs has it (the one process this costs), else of the kernel's log, where the lines of the
 * generator and the drivers are, and after them what the verbs of cci-init said. Returns 0 or
 * -errno.
 */
int journal_tail(struct buffer *out, size_t max);

/* SPDX-License-Identifier: MulanPSL-2.0 */
/*
 * Another program run to its end: lvm, mkfs. What it says is kept, not shown.
 */
#pragma once

#include "lib/base/buffer.h"

#define PROGRAM_ERROR_MAX 256

/*
 * Runs argv[0], which is looked for where programs of the system are, with nothing to read. Its
 * standard output is appended to *out (which has a limit; NULL: thrown away), the last line of its
 * standard error stands in error[PROGRAM_ERROR_MAX]. Returns its exit status, 128 + the number of
 * the signal that ended it, or -errno (-ENOENT: there is no such program).
 */
int program_run(const char *const argv[], struct buffer *out, char *error);

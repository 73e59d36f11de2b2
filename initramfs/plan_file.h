/* SPDX-License-Identifier: MulanPSL-2.0 */
/*
 * The plan as text: lines key=value, in the order of struct plan, absent ones left out. The
 * generator writes it to /run/cci/plan; cci-init and the dracut hook read it. Pure.
 */
#pragma once

#include "initramfs/plan.h"

#define PLAN_FILE_MAX 8192 /* room that any plan fits in */

/* Appends the plan. Overflow is seen in `out`. */
void plan_write(const struct plan *plan, struct bytes *out);

/*
 * Reads it back. Returns 0, or PLAN_FILE_BAD with the number of the line in *ret_line: a line
 * without '=', a value of the wrong kind, or no kind= at all. Unknown keys are skipped.
 */
enum { PLAN_FILE_BAD = 1 };
int plan_read(struct slice text, struct plan *ret, unsigned *ret_line);

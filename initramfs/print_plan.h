/* SPDX-License-Identifier: MulanPSL-2.0 */
/*
 * `cci-init print-plan [CMDLINE] [--facts FILE]`: what a boot with that command line would do, step
 * by step, and the units that would do it. Touches nothing.
 */
#pragma once

#include "initramfs/plan.h"

/* Appends the steps in their order, one a line. Overflow is seen in `out`. Pure. */
void print_plan_steps(const struct plan *plan, struct bytes *out);

/*
 * The verb; argv[0] is its name. CMDLINE is one argument, /proc/cmdline without it. FILE has lines
 * `networkd=yes|no`, `shell=yes|no` and `https=yes|no` (what the initramfs would have in it);
 * without it: yes, no, yes. Returns the exit status: 0, also when the boot is not ours (nothing is
 * printed but a word about it on stderr); 1 when the line is refused, with the key and the cause on
 * stderr; 2 on wrong usage.
 */
int print_plan_main(int argc, char *argv[]);

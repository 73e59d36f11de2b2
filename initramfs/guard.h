/* SPDX-License-Identifier: MulanPSL-2.0 */
/*
 * The boot that is ours and has no units: cci-generator could not write them (no room in /run) or
 * did not even start. Without this nobody would ever fail, and nothing would ever end.
 */
#pragma once

/*
 * The verb of cci-guard.service, a unit of the image itself, which runs only where there is no
 * /run/cci/plan. Decides anew from the kernel command line: a boot that is not ours is left alone;
 * one that is gets a line on the console and ends as cci.onfail says (a shell needs units: it
 * reboots), five seconds later, through the kernel: PID 1 may be in no state to do it. Returns 0
 * when there is nothing to do.
 */
int guard_main(int argc, char *argv[]);

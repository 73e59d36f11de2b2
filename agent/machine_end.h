/* SPDX-License-Identifier: MulanPSL-2.0 */
/*
 * What is done to the machine itself: lines on its console, its end.
 */
#pragma once

#include "agent/step.h"

/* Writes lines to the console below root; nobody may be there to read them. */
void machine_say(const char *root, const char *lines);

/*
 * Syncs, and asks systemd to reboot or power off; where there is no systemd the kernel does it at
 * once. Returns 0 when systemd is at it, or -errno.
 */
int machine_end(enum step_end end);

/* Reboots or powers off now, without stopping anything. Returns only on failure: -errno. */
int machine_end_by_force(enum step_end end);

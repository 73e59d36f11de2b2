/* SPDX-License-Identifier: MulanPSL-2.0 */
/*
 * An end for a machine whose root is on a server that has gone. The kernel waits for such a server
 * for ever, and with it whoever wants to read a file that is not in memory: systemctl, or PID 1 on
 * its way to the poweroff.
 */
#pragma once

/*
 * Leaves RuntimeWatchdogSec= and RebootWatchdogSec= (systemd-system.conf(5)) for the new root's PID
 * 1 in /run, and loads the kernel's software watchdog where the machine has no other. What cannot
 * be done is told; it fails no boot.
 */
void watchdog_leave(void);

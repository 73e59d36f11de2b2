/* SPDX-License-Identifier: MulanPSL-2.0 */
/*
 * Kernel modules that nothing loads by itself.
 */
#pragma once

/*
 * Loads a module with what it depends on, through modprobe(8). Returns 0, also when it is there
 * already; -ENODEV when there is none of this name or it does not want to; or -errno.
 */
int module_load(const char *name);

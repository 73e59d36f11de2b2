/* SPDX-License-Identifier: MulanPSL-2.0 */
/*
 * The step that makes the root on the machine's own disks (`local`), or decides to do without.
 */
#pragma once

#include "initramfs/plan.h"

/*
 * Makes the volume that the plan says; layers then mounts it. Only where everything that the boot
 * writes is thrown away afterwards, and cci.disk= is not `required`, may it do without: then the
 * plan in /run/cci/plan becomes that of the same root below a tmpfs, and the server is told why.
 * Returns 0, or -ECANCELED when the failure has been told.
 */
int disk_make(const struct plan *plan);

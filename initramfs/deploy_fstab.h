/* SPDX-License-Identifier: MulanPSL-2.0 */
/*
 * The part of deploy that keeps the new root's fstab from stopping the boot.
 */
#pragma once

#include "initramfs/plan.h"

/*
 * An image loses the lines that were for another machine. On a disk of this machine only lines
 * whose device is not there are changed, and only in that they need not be mounted. What is changed
 * stays in fstab.cci-orig as it first was; where the root is read-only the changed file lies in
 * /run and is bound over it. Returns 0, or -ECANCELED when the failure has been told.
 */
int deploy_fstab(int root_fd, const struct plan *plan);

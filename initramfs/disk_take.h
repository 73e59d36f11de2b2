/* SPDX-License-Identifier: MulanPSL-2.0 */
/*
 * Disks into group os: the only place where anything of a disk is overwritten that was not ours.
 */
#pragma once

#include "initramfs/disk_policy.h"
#include "initramfs/lvm.h"

#define DISK_ERROR_MAX 400

/*
 * Takes a blank disk, or clears a foreign one, into the group, which is made when there is none.
 * The disk is locked and looked at once more: it must be what it was when `verdict` was given.
 * Before anything is cleared the server is told; when that fails nothing is. Returns 0, or
 * -ECANCELED with error[DISK_ERROR_MAX].
 */
int disk_take(const struct plan *plan, struct lvm *lvm, const struct disk_facts *facts,
              const struct disk_verdict *verdict, char *error);

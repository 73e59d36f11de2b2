/* SPDX-License-Identifier: MulanPSL-2.0 */
/*
 * Where an overlay puts what is written: memory, or a directory of a device that is this boot's
 * alone.
 */
#pragma once

#include "initramfs/plan.h"

/*
 * Mounts it on /run/cci/rw, with upper/ and work/ in it. On a device that is upper/BOOT_ID of its
 * file system; those of earlier boots are removed first, as far as ten seconds go (the next boot
 * goes on). Returns 0, or -ECANCELED when the failure has been told.
 */
int upper_mount(const struct plan *plan);

/* Takes the device's own mount, beside /run/cci/rw, out of sight. */
void upper_hide(void);

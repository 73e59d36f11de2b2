/* SPDX-License-Identifier: MulanPSL-2.0 */
/*
 * The step that makes the root: an image or a device below, memory or a device above, an overlay of
 * both on /sysroot; or the image itself there, read-only.
 */
#pragma once

#include "initramfs/plan.h"

/*
 * Does what the plan says; sysroot.mount then finds its work done. What is mounted below stays in
 * sight until deploy hides it. Returns 0, or -ECANCELED when the failure has been told.
 */
int layers_make(const struct plan *plan);

/* Takes lower, upper and the fetched image out of sight, so that no shutdown unmounts them. */
void layers_hide(void);

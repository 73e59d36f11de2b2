/* SPDX-License-Identifier: MulanPSL-2.0 */
/*
 * The steps of volume_plan.h, taken by lvm and by filling.
 */
#pragma once

#include "initramfs/lvm.h"
#include "initramfs/volume_fill.h"
#include "initramfs/volume_plan.h"

/*
 * Takes all steps in their order; what each does is told. Returns 0, or -ECANCELED with
 * error[VOLUME_ERROR_MAX], which is empty when it has been told already. The steps before the one
 * that failed have been taken, which harms nobody.
 */
int volumes_make(const struct plan *plan, struct lvm *lvm, const struct volume_plan *steps,
                 char *error);

/* SPDX-License-Identifier: MulanPSL-2.0 */
/*
 * What `local` and the keys with it ask for, as part of a plan. Pure.
 */
#pragma once

#include "initramfs/plan.h"

/*
 * Fills plan->local and what belongs to it; plan->source must be there. Returns NULL, or why it
 * cannot be, with the key that is wrong in *ret_key.
 */
const char *plan_local_decide(const struct boot_params *params, struct plan *plan,
                              const char **ret_key);

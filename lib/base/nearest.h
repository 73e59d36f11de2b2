/* SPDX-License-Identifier: MulanPSL-2.0 */
/*
 * Which known name somebody meant who wrote an unknown one.
 */
#pragma once

#include <stddef.h>

#include "lib/base/bytes.h"

/*
 * The name with the fewest changed, added, removed or swapped letters, case ignored; NULL when even
 * that one differs too much to be a slip (more than a third of its letters). Names may have holes
 * (NULL). Cost: O(n_names * len²), len at most 32; longer ones are never near.
 */
const char *nearest_name(const char *const names[], size_t n_names, struct slice word);

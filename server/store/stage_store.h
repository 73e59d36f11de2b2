/* SPDX-License-Identifier: MulanPSL-2.0 */
/*
 * How long each host took for a stage of its boots: the newest of a host and a kind of root.
 */
#pragma once

#include "server/core/attempt.h"
#include "server/store/db.h"

/*
 * The attempt was so long in that state, and has left it for the next; what is older than the
 * newest DEADLINE_SAMPLES_MAX of its kind goes. Returns 0 or -errno.
 */
int stage_store_add(struct db *db, const struct attempt *attempt, enum attempt_state state,
                    usec_t length);

/*
 * Of the host and kind of root of that attempt: *ret_p99 is what 99 % of them took at most, 0
 * without any. Returns how many are known, or -errno.
 */
int stage_store_p99(struct db *db, const struct attempt *attempt, enum attempt_state state,
                    usec_t *ret_p99);

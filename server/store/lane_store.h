/* SPDX-License-Identifier: MulanPSL-2.0 */
/*
 * Lanes: the jobs of one submitter and priority that want the same machine wait in one. And what
 * each submitter has had lately.
 */
#pragma once

#include "server/core/attempt.h"
#include "server/core/sched_decide.h"
#include "server/store/db.h"

/* The lane of such a job, made when there is none, inside the caller's transaction. 0 or -errno. */
int lane_store_find(struct db *db, const struct job_record *job, int64_t *ret);

/*
 * The first ready job of each lane that has one of `names` as testbox, group or queue, with what
 * its submitter has had by that moment; names is a JSON array as text. By rank, the lowest first.
 * Returns how many (≤ max), or -errno. Cost: O(lanes with such a name); no job is read.
 */
int lane_store_heads(struct db *db, const char *names, usec_t steady,
                     struct sched_candidate *candidates, int max);

/* Forgets lanes whose jobs have all ended. Returns 0 or -errno. Cost: O(lanes + open jobs). */
int lane_store_prune(struct db *db);

/* Machine time (seconds, fading: core/share) that a submitter has had by that moment. 0 or -errno.
 */
int lane_store_used(struct db *db, const char *submitter, usec_t steady, uint64_t *ret);

/* Adds to it, or takes away; it does not fall below nothing. 0 or -errno. */
int lane_store_charge(struct db *db, const char *submitter, usec_t steady, int64_t seconds);

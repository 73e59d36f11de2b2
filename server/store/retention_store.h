/* SPDX-License-Identifier: MulanPSL-2.0 */
/*
 * What of old jobs is removed: their results, as the jobs table says, and records of files.
 */
#pragma once

#include "server/core/retention.h"
#include "server/store/db.h"

enum { RETENTION_STORE_ABSENT = 1 };

/*
 * The ended job whose results have been there longest: not those that are kept, nor those of a job
 * with an open attempt. 0, RETENTION_STORE_ABSENT, or -errno.
 */
int retention_store_oldest(struct db *db, int64_t *ret_job);

/* The first job with id > after whose results are being removed. Outcomes as before. */
int retention_store_removing(struct db *db, int64_t after, int64_t *ret_job);

/* Writes what has become of a job's results, and when. Returns 0 or -errno. */
int retention_store_set(struct db *db, int64_t job, enum results_state results,
                        enum retention_cause cause, usec_t wall);

/*
 * Keeps a job's results from being removed, or no longer. Returns 0; RETENTION_STORE_ABSENT when
 * they are being removed, or the job is not there; or -errno.
 */
int retention_store_keep(struct db *db, int64_t job, bool is_kept);

/* Removes records of a job's files, at most max. Returns how many, or -errno. */
int retention_store_forget_files(struct db *db, int64_t job, int max);

/* Removes events from before that moment, of the oldest max. Returns how many, or -errno. */
int retention_store_prune_events(struct db *db, usec_t before_wall, int max);

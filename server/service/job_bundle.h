/* SPDX-License-Identifier: MulanPSL-2.0 */
/*
 * What an attempt brings to its machine (job.cgz) and where its results go.
 */
#pragma once

#include "lib/base/buffer.h"
#include "lib/doc/job.h"
#include "server/core/attempt.h"
#include "server/service/context.h"

/* Reads and parses a job's document. Returns 0 or -errno; job_free it. */
int job_bundle_load(struct services *s, int64_t job, struct job **ret);

/* Appends job.cgz of an attempt; the same bytes each time. Returns 0 or -errno. */
int job_bundle_cgz(struct services *s, const struct job_record *record,
                   const struct attempt *attempt, struct buffer *out);

/*
 * Whether results of that job can be written now: its directory can be made and the disk has room.
 * Returns 0 or -errno (-ENOSPC, -EACCES, ...), to be told to people.
 */
int job_bundle_check_room(struct services *s, const struct job_record *record);

/*
 * Makes the result directory of an attempt, with copies of job.sh and job.yaml. What an earlier
 * attempt left there is moved aside (DIR.attempt-N), so that no attempt continues another's files.
 * May be repeated. The disk is not waited for: see job_bundle_mend. Returns 0 or -errno.
 */
int job_bundle_prepare(struct services *s, const struct job_record *record, const struct job *job,
                       const struct attempt *attempt);

/*
 * After a start: what job_bundle_prepare had written for this attempt, and a power cut took, is
 * written again, durably; whatever else is there stays. Returns 0, also when the directory is gone
 * or somebody else's, or -errno.
 */
int job_bundle_mend(struct services *s, const struct attempt *attempt);

/* Opens the directory that the result directory stands in. Returns an fd or -errno. */
int job_bundle_open_parent(struct services *s, const struct job_record *record);

/* Removes the directories above the result directory that nothing is left in. */
void job_bundle_remove_empty_parents(struct services *s, const struct job_record *record);

/* Opens the result directory (O_DIRECTORY). Returns an fd or -errno. */
int job_bundle_open_results(struct services *s, const struct job_record *record);

/* SPDX-License-Identifier: MulanPSL-2.0 */
/*
 * Jobs.
 */
#pragma once

#include "lib/base/buffer.h"
#include "server/core/attempt.h"
#include "server/store/db.h"

enum {
	JOB_STORE_ABSENT = 1,
	JOB_STORE_STALE = 2, /* the job is not in the state the caller believed */
};

/*
 * Adds a job inside the caller's transaction; job->id is not looked at. key may be NULL; body_hash
 * is kept with it. Returns 0 with the new id, or -errno (-EEXIST: the key is taken).
 */
int job_store_insert(struct db *db, const struct job_record *job, const char *document,
                     const char *key, uint64_t body_hash, int64_t *ret_id);

/* Writes the result root, which holds the id. */
int job_store_set_result_root(struct db *db, int64_t id, const char *result_root);

/* 0, JOB_STORE_ABSENT, or -errno. */
int job_store_find(struct db *db, int64_t id, struct job_record *ret);
int job_store_find_key(struct db *db, const char *key, int64_t *ret_id, uint64_t *ret_body_hash);

/* Appends the document as JSON. 0, JOB_STORE_ABSENT, or -errno. */
int job_store_document(struct db *db, int64_t id, struct buffer *out);

/*
 * Writes what changes in a job's life (state, verdict, cause, upload, reason, counters, times,
 * hold, attempt) when it is in state `from`. Returns 0, JOB_STORE_STALE, or -errno.
 */
int job_store_update(struct db *db, const struct job_record *job, enum job_state from);

/* The ready job behind that one in its lane. 0, JOB_STORE_ABSENT, or -errno. */
int job_store_after(struct db *db, const struct job_record *job, struct job_record *ret);

/* The rank of the last ready job of a lane, 0 when there is none. 0 or -errno. */
int job_store_last_rank(struct db *db, int64_t lane, int64_t *ret);

/* Makes the jobs ready whose back-off is over. Returns how many, or -errno. */
int job_store_promote(struct db *db, usec_t steady);

/* Whether there is any waiting or queued job at all: 1, 0, or -errno. Cheap. */
int job_store_has_candidates(struct db *db);

/* Whether a health job for that host has not ended: 1, 0, or -errno. */
int job_store_has_health(struct db *db, const char *host);

struct job_filter {
	int state;        /* enum job_state, or -1: any */
	const char *host; /* an attempt of it ran there; NULL: any */
	int64_t before;   /* id lower than this; 0: the newest */
};

/* Newest first. Returns how many (≤ max), or -errno. */
int job_store_list(struct db *db, const struct job_filter *filter, struct job_record *jobs,
                   int max);

/* Waiting and queued jobs that nobody took in time. Returns how many (≤ max), or -errno. */
int job_store_expired(struct db *db, usec_t steady, struct job_record *jobs, int max);

/*
 * The next moment (steady) at which time alone changes something of a waiting or queued job: its
 * expiry, or the end of its back-off. USEC_INFINITY: none. Returns 0 or -errno.
 */
int job_store_next_moment(struct db *db, usec_t *ret);

/* Number of jobs in each state. Returns 0 or -errno. */
int job_store_count(struct db *db, int64_t counts[_JOB_STATE_MAX]);

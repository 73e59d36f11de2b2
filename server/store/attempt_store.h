/* SPDX-License-Identifier: MulanPSL-2.0 */
/*
 * Attempts and their manifests.
 */
#pragma once

#include "lib/base/buffer.h"
#include "server/core/attempt.h"
#include "server/store/db.h"

enum {
	ATTEMPT_STORE_ABSENT = 1,
	ATTEMPT_STORE_STALE = 2, /* the attempt is not in the state the caller believed */
};

/*
 * Adds an attempt; attempt->id is not looked at. Returns 0 with the new id, or -errno: -EEXIST when
 * the job or the host has an open attempt already (S1, S2).
 */
int attempt_store_insert(struct db *db, const struct attempt *attempt, int64_t *ret_id);

/* Keeps the script, so that the same one can be handed out again, and what it loads last. */
int attempt_store_set_script(struct db *db, int64_t id, struct slice script,
                             const char *kernel_path);

/* 0, ATTEMPT_STORE_ABSENT, or -errno. */
int attempt_store_find(struct db *db, int64_t id, struct attempt *ret);
int attempt_store_find_open_of_job(struct db *db, int64_t job, struct attempt *ret);
int attempt_store_find_open_of_host(struct db *db, const char *host, struct attempt *ret);
int attempt_store_find_open_at(struct db *db, uint32_t address, struct attempt *ret);

/* The last attempt of a job, open or not. */
int attempt_store_find_last(struct db *db, int64_t job, struct attempt *ret);

/* Appends the script. 0, ATTEMPT_STORE_ABSENT, or -errno. */
int attempt_store_script(struct db *db, int64_t id, struct buffer *out);

/* Attempts of a job, oldest first. Returns how many (≤ max), or -errno. */
int attempt_store_list(struct db *db, int64_t job, struct attempt *attempts, int max);

/* Open attempts with id > after. Returns how many (≤ max), or -errno. */
int attempt_store_list_open(struct db *db, int64_t after, struct attempt *attempts, int max);

/* The same for attempts that ended since then; of the newest few thousand. */
int attempt_store_list_ended(struct db *db, int64_t after, usec_t since_wall,
                             struct attempt *attempts, int max);

/*
 * Writes what changes in an attempt's life (state, session, boot_id, address, verdict, cause,
 * deadlines, times) when it is in state `from`. Returns 0, ATTEMPT_STORE_STALE, or -errno.
 */
int attempt_store_update(struct db *db, const struct attempt *attempt, enum attempt_state from);

/* Open attempts whose deadline has passed. Returns how many (≤ max), or -errno. */
int attempt_store_due(struct db *db, usec_t steady, struct attempt *attempts, int max);

/* The earliest deadline of all (steady), USEC_INFINITY when none is open. Returns 0 or -errno. */
int attempt_store_next_deadline(struct db *db, usec_t *ret);

/* Whether an attempt of the job failed on that host: 1, 0, or -errno. */
int attempt_store_has_failed(struct db *db, int64_t job, const char *host);

/* On how many distinct hosts infrastructure failed that job, or -errno. */
int attempt_store_count_failed_hosts(struct db *db, int64_t job);

/*
 * The next of those hosts: host[] holds the one before ("" at first) and becomes the one found.
 * 0, ATTEMPT_STORE_ABSENT, or -errno.
 */
int attempt_store_next_failed_host(struct db *db, int64_t job, char host[HOST_NAME_MAX_LEN]);

/*
 * How many distinct jobs infrastructure failed on that host since then that got a verdict on
 * another one. The number, or -errno.
 */
int attempt_store_count_bad_jobs(struct db *db, const char *host, usec_t since_wall);

/* Writes the manifest; -EEXIST when there is one (S4). */
int attempt_store_add_manifest(struct db *db, int64_t attempt, struct slice document, usec_t wall);

/* Appends it. 0, ATTEMPT_STORE_ABSENT, or -errno. */
int attempt_store_manifest(struct db *db, int64_t attempt, struct buffer *out);

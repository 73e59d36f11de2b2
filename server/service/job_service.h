/* SPDX-License-Identifier: MulanPSL-2.0 */
/*
 * Jobs as users handle them: submit, cancel, retry. Each function is one transaction; what returned
 * 0 is durable.
 */
#pragma once

#include "lib/doc/job.h"
#include "server/core/attempt.h"
#include "server/service/context.h"

enum job_outcome {
	JOB_SERVICE_OK = 0,
	JOB_SERVICE_BAD = 1,    /* the document is wrong; the error names the field */
	JOB_SERVICE_REUSED = 2, /* the idempotency key came with another body before */
	JOB_SERVICE_ABSENT = 3,
	JOB_SERVICE_STATE = 4, /* not in this state: cancel of an ended job, retry of an open one */
};

#define JOB_KEY_MAX 200 /* characters of an Idempotency-Key */

/* A request that may be sent twice. */
struct job_key {
	const char *key; /* NULL: none */
	struct slice body;
};

/*
 * Accepts a job. With a key that made a job before, that job's id is returned and nothing is made.
 * Returns 0 with *ret_id, JOB_SERVICE_BAD with *ret_error, JOB_SERVICE_REUSED, or -errno.
 */
int job_service_submit(struct services *s, const struct moment *m, const json_t *doc,
                       const struct job_key *key, int64_t *ret_id, struct job_error *ret_error);

/* The same inside the caller's transaction, without a key. */
int job_service_add(struct services *s, const struct moment *m, const json_t *doc, int64_t *ret_id,
                    struct job_error *ret_error);

/* A job that runs is told to stop; until it has, it stays active. 0, ABSENT, STATE or -errno. */
int job_service_cancel(struct services *s, const struct moment *m, int64_t id);

/*
 * The same document once more, as a new job; a job that is held goes on itself.
 * 0 with *ret_id, ABSENT, STATE, BAD or -errno.
 */
int job_service_retry(struct services *s, const struct moment *m, int64_t id, int64_t *ret_id,
                      struct job_error *ret_error);

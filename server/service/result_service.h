/* SPDX-License-Identifier: MulanPSL-2.0 */
/*
 * Results on their way in: who may write where, and what was written. The bytes go through a worker
 * process, which asks here before it reads a body and tells here when it has made them durable.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "lib/base/bytes.h"
#include "lib/base/usec.h"
#include "server/proto/http_method.h"

struct result_service;

#define UPLOAD_NAME_MAX   256
#define UPLOAD_REASON_MAX 160

/*
 * Two ways in, one answer. Compass-CI: PUT /result/.../FILE and MKCOL /result/.../DIR/ with
 * Cookie: JOBID=<id>. Ours: PUT, HEAD /v1/attempts/ID/files/NAME with Authorization: Bearer and
 * (PUT) Content-Range: bytes A-B/TOTAL, where TOTAL `*` means that the file still grows.
 */
struct upload_ask {
	enum http_method method; /* PUT, MKCOL or HEAD */
	struct slice path;       /* decoded and checked by url_path */
	struct slice cookie, authorization;
	uint32_t peer;
	int64_t length; /* of the body; -1 when chunked */
};

/* Outcome of result_service_open. */
struct upload_grant {
	unsigned status; /* 0: granted. Else the HTTP status to refuse with (401 403 404 409 410
	                    507) */
	char reason[UPLOAD_REASON_MAX]; /* for the body of a refusal */
	unsigned retry_after_sec;
	int64_t attempt;
	int dir_fd; /* granted: O_DIRECTORY fd of the result root (of the parent for MKCOL),
	               owned by the caller; -1 otherwise */
	char name[UPLOAD_NAME_MAX]; /* granted: one component, below dir_fd */
	int64_t max;                /* most bytes the file may have */
	bool is_unrecorded;         /* granted: no file of that name is on record for the attempt:
	                               one that is there was not committed, ccid was killed */
};

/*
 * Decides about an upload before its body is read.
 * Returns 0 with *ret_grant filled (refusals too), or -errno.
 */
int result_service_open(struct result_service *results, const struct upload_ask *ask, usec_t now,
                        usec_t wall, struct upload_grant *ret_grant);

/*
 * Part of a growing file (`.NAME.part` in dir_fd) is durable up to `size`: wakes those who follow
 * the log. Returns 0 or -errno.
 */
int result_service_progress(struct result_service *results, int64_t attempt, const char *name,
                            int64_t size, usec_t now, usec_t wall);

/*
 * A whole file is durable under its final name. Commits its record; the worker answers the client
 * only after this returned 0. Asking again with the same content is 0 too. Returns 0, RESULT_CLOSED
 * when the attempt has ended meanwhile, or -errno.
 */
enum { RESULT_CLOSED = 1 };
int result_service_commit(struct result_service *results, int64_t attempt, const char *name,
                          int64_t size, const char *sha256_hex, usec_t now, usec_t wall);

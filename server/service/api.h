/* SPDX-License-Identifier: MulanPSL-2.0 */
/*
 * The HTTP API of the main process as a function: one whole request in, one answer out, one
 * transaction between. It knows no socket: server/io/http_io reads the request, calls api_handle,
 * and does what the answer wants.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "lib/base/buffer.h"
#include "lib/base/bytes.h"
#include "lib/base/usec.h"
#include "server/proto/http_method.h"

struct api; /* made by api_new (service/api.c) over the store and the other services */

/* What a request says; all slices are borrowed for the call. Absent headers are empty slices. */
struct api_call {
	enum http_method method;
	struct slice
		path; /* percent-decoded, checked by url_path: begins with '/', no "..", no NUL */
	struct slice query; /* raw, without '?' */
	struct slice host;  /* header Host */
	struct slice content_type, accept, authorization, cookie, idempotency_key, last_event_id;
	struct slice user_agent;
	struct slice body;
	uint32_t peer;       /* IPv4 address of the client, host order; 127.0.0.1 for ::1 */
	uint32_t local;      /* our address it came to */
	uint16_t local_port; /* of this listener */
	usec_t now, wall;
	bool is_held;      /* asked again for a request that was held before */
	usec_t held_since; /* monotonic; when is_held */
};

enum api_want {
	API_SEND,   /* send the answer */
	API_HOLD,   /* keep the request: call api_handle again (is_held) whenever api_generation has
	               changed, and at hold_until at the latest */
	API_FOLLOW, /* send status and headers now, then what api_follow_next gives, chunked,
	               whenever api_generation has changed, and at least every second while there is
	               a peer */
};

/* A place in a growing answer: the log of a job, the events. */
struct api_follow {
	enum { API_FOLLOW_LOG, API_FOLLOW_EVENTS } kind;
	int64_t job;   /* 0: events of everybody */
	int64_t after; /* events: last id sent. log: offset of the next byte */
	bool is_sse;   /* events as text/event-stream, else as JSON lines */
	bool is_once;  /* log: end where it ends now */
};

struct api_answer {
	enum api_want want;
	unsigned status;
	const char *content_type; /* constant text; NULL when there is no body */
	struct buffer body;       /* api_answer_deinit frees it */
	char location[512];       /* header Location, empty when none */
	char allow[64];           /* header Allow with 405 */
	unsigned retry_after_sec; /* header Retry-After; 0 when none */
	bool close;               /* close the connection after it */
	usec_t hold_until;        /* API_HOLD: monotonic */
	struct api_follow follow; /* API_FOLLOW */
};

#define API_ANSWER_NULL ((struct api_answer){ .status = 0 })

void api_answer_deinit(struct api_answer *answer);

/*
 * Answers a request. Never blocks longer than a commit. A client's mistake is an answer (4xx with
 * application/problem+json), not an error.
 * Returns 0 with *ret_answer filled, or -errno when we could not work (io answers 500 or, for
 * -ENOSPC, 507).
 */
int api_handle(struct api *api, const struct api_call *call, struct api_answer *ret_answer);

/*
 * What several calls of api_handle wrote becomes durable at once. Between api_group_begin and
 * api_group_end they are parts of one commit: no answer (and nothing that an answer says) may
 * leave before api_group_commit has returned 0. On -errno nothing of it happened: each of those
 * clients is told 507 (-ENOSPC) or 500, sees its connection end, and asks again.
 * api_group_is_open: something waits for api_group_commit.
 */
void api_group_begin(struct api *api);
void api_group_end(struct api *api);
bool api_group_is_open(const struct api *api);
int api_group_commit(struct api *api);

/*
 * The client of a held request went away before its answer: forget it.
 * For calls whose answer was API_HOLD.
 */
void api_drop_held(struct api *api, const struct api_call *call);

/*
 * Appends to `out` (at most about 64 KiB) what is new since the cursor, and moves the cursor.
 * Returns 0 when the end is reached (close the answer), API_FOLLOW_MORE when the caller should ask
 * again at once, API_FOLLOW_WAIT when there is nothing more for now; or -errno.
 */
enum { API_FOLLOW_END = 0, API_FOLLOW_MORE = 1, API_FOLLOW_WAIT = 2 };
int api_follow_next(struct api *api, struct api_follow *cursor, struct buffer *out);

/* A number that changes whenever a held request or a follower could get something new. */
uint64_t api_generation(const struct api *api);

/*
 * Moves what a deadline has passed (offers, attempts, holds). To be called at api_deadline, or
 * later. Returns 0 or -errno.
 */
int api_timeout(struct api *api, usec_t now, usec_t wall);
usec_t api_deadline(const struct api *api);

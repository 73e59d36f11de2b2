/* SPDX-License-Identifier: MulanPSL-2.0 */
/*
 * One call of the API on its way through a handler, and the ways to answer it; private to this
 * room.
 */
#pragma once

#include <jansson.h>

#include "server/core/attempt.h"
#include "server/service/api.h"
#include "server/service/context.h"

#define REQUEST_ARGS_MAX 3

struct request_args {
	struct slice arg[REQUEST_ARGS_MAX]; /* components that stand for `:` of the route */
};

struct api_request {
	struct services *s;
	const struct api_call *call;
	struct moment m;
	struct request_args args;
	struct api_answer *answer;
};

/* A handler fills the answer. Returns 0 or -errno. */
typedef int (*api_handler)(struct api_request *rq);

/* Answers with a document (takes it; NULL means that memory was short). */
int api_send_json(struct api_request *rq, unsigned status, json_t *doc);

/* Answers with text. */
int api_send_text(struct api_request *rq, unsigned status, const char *text);

/* application/problem+json (RFC 9457); field may be NULL. */
int api_problem(struct api_request *rq, unsigned status, const char *field, const char *format, ...)
	__attribute__((format(printf, 4, 5)));

/* The phrase of a status: "Bad Request". */
const char *api_status_phrase(unsigned status);

/*
 * Decoded value of a query key into to[size]. Returns whether it is there, not empty, and fits.
 */
bool api_query(const struct api_request *rq, const char *key, char *to, size_t size);

/* The same for a form-encoded body. */
bool api_form(const struct api_request *rq, const char *key, char *to, size_t size);

/* A number of the query; fallback when it is absent or none. */
uint64_t api_query_u64(const struct api_request *rq, const char *key, uint64_t max,
                       uint64_t fallback);

/* Whether the client may submit, cancel and administer: by its address, or by a token. */
bool api_is_trusted(const struct api_request *rq);

/* The token of `Authorization: Bearer`; empty when there is none. */
struct slice api_bearer(const struct api_request *rq);

/*
 * The job that a component of the path names. Returns 0; 1 when the answer (404) has been made;
 * -errno.
 */
int api_find_job(struct api_request *rq, struct slice id, struct job_record *ret);

/* "http://A:P" under which the client reached us; to[64]. */
const char *api_base_url(const struct api_request *rq, uint16_t port, char to[64]);

/* RFC 3339 in UTC; json null for 0. With milliseconds when precise. */
json_t *api_time_json(usec_t wall, bool precise);

/* A string, or null for the empty one. */
json_t *api_text_json(const char *text);

/* Documents of docs/api.md; NULL when memory is short. reason: why the job waits, "" for none. */
json_t *api_job_json(struct api_request *rq, const struct job_record *job, const char *reason);
json_t *api_event_json(const struct services *s, const struct event *event);
json_t *api_host_json(struct api_request *rq, const struct host *host);
json_t *api_power_json(struct api_request *rq, const char *host); /* null: not configured */

/* SPDX-License-Identifier: MulanPSL-2.0 */
/*
 * HTTP to the server, over libcurl. A transfer is one request under way; client_perform does one
 * and waits, who follows several at once drives them through client_multi.
 */
#pragma once

#include <curl/curl.h>
#include <stdbool.h>
#include <stdint.h>

#include "lib/base/buffer.h"
#include "lib/base/bytes.h"

struct client;

/* Gets the body of a 2xx answer as it arrives; -errno stops the transfer. */
typedef int (*client_sink_fn)(void *context, struct slice bytes);

/* What is asked; everything is borrowed until the transfer has ended. */
struct client_call {
	const char *method; /* NULL: GET */
	const char *path;   /* from '/', escaped, with its query */
	struct slice body;  /* of POST and PUT */
	const char *accept; /* NULL: application/json */
	const char *content_type;
	const char *idempotency_key;
	const char *last_event_id;
	client_sink_fn sink; /* NULL: the body is kept in the answer */
	void *context;
	bool is_endless; /* may be silent for ever: no limit of time */
};

struct client_answer {
	long status;        /* 0: none came */
	struct buffer body; /* of an error, or all when there is no sink */
	char reason[CURL_ERROR_SIZE];
	int sink_error; /* what the sink said */
};

#define CLIENT_ANSWER_NULL ((struct client_answer){ .status = 0 })

void client_answer_deinit(struct client_answer *answer);

/* How a transfer ended, as far as the wire goes. */
enum {
	CLIENT_DONE = 0,        /* an answer came, of whatever status, to its end */
	CLIENT_UNREACHABLE = 1, /* nothing was sent: no connection */
	CLIENT_LOST = 2,        /* the connection broke: the server may have acted or not */
};

/* base from url_normalise; token may be NULL; both are copied. Returns 0 or -ENOMEM. */
int client_new(const char *base, const char *token, struct client **ret);
void client_free(struct client *client);

const char *client_base(const struct client *client);

/*
 * Does one call. Returns CLIENT_DONE, CLIENT_UNREACHABLE, CLIENT_LOST, or -errno (the sink's, or
 * -ENOMEM). *ret_answer is always for client_answer_deinit.
 */
int client_perform(struct client *client, const struct client_call *call,
                   struct client_answer *ret_answer);

struct transfer;

/* Starts a call on the client's multi handle. Returns 0 or -ENOMEM. */
int transfer_start(struct client *client, const struct client_call *call, struct transfer **ret);

/* Stops it if it is still under way, and frees it. */
void transfer_free(struct transfer *transfer);

/* Its answer so far; borrowed. */
struct client_answer *transfer_answer(struct transfer *transfer);

/* The status of its answer; 0 while none has come. */
long transfer_status(const struct transfer *transfer);

/*
 * Moves all transfers on, and waits at most timeout_ms for the wire or for `wake_fd` (-1: none)
 * to become readable. Returns 0 or -errno.
 */
int client_step(struct client *client, int wake_fd, int timeout_ms);

/*
 * A transfer that has ended since it was last asked for, or NULL; *ret_outcome as of
 * client_perform. It is still the caller's to free.
 */
struct transfer *client_ended(struct client *client, int *ret_outcome);

/* SPDX-License-Identifier: MulanPSL-2.0 */
/*
 * HTTP requests to the server: libcurl's multi interface driven by sd-event. No request has a total
 * time limit; one that stands still is given up.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <systemd/sd-event.h>

#include "lib/base/bytes.h"

struct client;
struct client_call;

struct client_request {
	const char *method; /* GET, HEAD, POST, PUT */
	const char *url;
	struct slice body;         /* POST: copied */
	int fd;                    /* PUT: `len` bytes from `offset`; must stay open until done */
	uint64_t offset, len;      /* len 0: no body */
	const char *content_range; /* PUT: or NULL */
};

struct client_reply {
	unsigned status;   /* 0: no answer; `error` says why */
	const char *error; /* static text, or NULL */
	bool is_short;     /* the file had fewer bytes than it was said to have */
	struct slice body; /* at most 64 KiB of it */
	bool has_offset, is_complete;
	uint64_t offset;          /* Upload-Offset */
	uint32_t retry_after_sec; /* Retry-After in seconds; 0 when not said */
	const char *local_ip;     /* our end of the connection; "" when unknown */
};

/* Called once for each request that was not cancelled, never from within client_send. */
typedef void (*client_done_fn)(void *userdata, const struct client_reply *reply);

/*
 * Makes a client whose requests carry `Authorization: Bearer token`. Returns 0 or -errno.
 */
int client_new(sd_event *event, const char *token, struct client **ret);

/* Cancels what is under way and frees. */
void client_free(struct client *client);

/*
 * Starts a request. Returns 0 and a call to cancel with (valid until done was called), or -errno.
 */
int client_send(struct client *client, const struct client_request *request, client_done_fn done,
                void *userdata, struct client_call **ret_call);

/* Forgets a request; done will not be called. */
void client_cancel(struct client_call *call);

/* SPDX-License-Identifier: MulanPSL-2.0 */
/*
 * The API ports of the main process: reads requests, asks service/api, and does what its answers
 * want: send, hold until something changes, follow. Also calls api_timeout at api_deadline.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "server/core/http_route.h"
#include "server/io/http_listen.h"
#include "server/io/http_server.h"
#include "server/proto/url_path.h"

struct api;
struct event_base;
struct http_io;

struct http_io_config {
	struct http_listeners *listeners; /* taken: the fds are -1 afterwards */
	struct http_route route;          /* to send what is asked on the wrong port elsewhere */
	size_t max_sockets;               /* 0: 8192, held requests included */
	int64_t max_body;                 /* bytes of a request's body; 0: 32 MiB */
};

/* Serves until http_io_free. api must outlive it. Returns 0 or -errno. */
int http_io_new(struct event_base *base, struct api *api, const struct http_io_config *config,
                struct http_io **ret);

/* Drops held requests and closes every connection. NULL is fine. */
struct http_io *http_io_free(struct http_io *io);

/*
 * Something may have changed in the store (TFTP, DHCP, a worker's report): held requests and
 * followers are asked again, if api_generation says so, at the next turn of the loop. Cheap.
 */
void http_io_poke(struct http_io *io);

/* Accepts no more; open requests are still answered. For a clean end. */
void http_io_stop(struct http_io *io);

struct http_io_counters {
	struct http_server_counters server;
	uint64_t n_bad_path, n_redirected;
	uint64_t bad_path[_URL_PATH_OUTCOME_MAX]; /* n_bad_path by url_path_outcome */
	size_t n_held, n_following;               /* now */
};

const struct http_io_counters *http_io_get_counters(struct http_io *io);

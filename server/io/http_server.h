/* SPDX-License-Identifier: MulanPSL-2.0 */
/*
 * HTTP connections on sockets: accepts, reads and writes what server/core/http_conn wants, sends
 * files with sendfile(2). Who answers is the owner: the API in main, files and uploads in a worker.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "lib/base/usec.h"
#include "server/core/http_conn.h"

struct event_base;
struct http_server;
struct http_socket; /* one connection; lives from its first request to `done` of its last */

/*
 * What the owner does. Calls come from the event loop, one request of a connection at a time:
 * request, then (when http_socket_read_body was called) body any number of times and body_end,
 * then done exactly once, also when the connection breaks before. Answering is allowed inside these
 * calls and at any time between request and done. A request the peer got wrong never comes here.
 */
struct http_server_ops {
	void (*request)(void *userdata, struct http_socket *socket,
	                const struct http_request *request);
	void (*body)(void *userdata, struct http_socket *socket, struct slice data);
	void (*body_end)(void *userdata, struct http_socket *socket);
	/* A stream wants its next piece: http_socket_fill now, or later by http_socket_wake. */
	void (*fill)(void *userdata, struct http_socket *socket);
	/* The exchange is over; is_whole: the last byte of the answer was given to the kernel. */
	void (*done)(void *userdata, struct http_socket *socket, bool is_whole);
};

struct http_server_config {
	const struct http_conn_config *conn; /* must outlive the server */
	size_t max_sockets; /* more are answered 503 and closed; never more than half of the
	                       process's limit of open files */
};

struct http_server_counters {
	uint64_t n_accepted, n_overloaded, n_requests, n_refused, n_broken;
	size_t n_sockets; /* now */
};

/* Makes a server without listeners. ops must outlive it. Returns 0 or -ENOMEM. */
int http_server_new(struct event_base *base, const struct http_server_config *config,
                    const struct http_server_ops *ops, void *userdata, struct http_server **ret);

/* Closes every connection (`done` is called for open exchanges) and every listener. */
struct http_server *http_server_free(struct http_server *server);

/* Accepts on fd from now on; takes fd, also on an error. Returns 0 or -errno. */
int http_server_listen(struct http_server *server, int fd);

/* Accepts no more, closes idle connections, and the others after what they are at. */
void http_server_stop(struct http_server *server);

/*
 * Answers wait from now on; http_server_uncork sends them at the next turn or, with an error of
 * -errno instead of 0, says 507 (-ENOSPC) or 500 and ends the connections of those that waited.
 * For an owner who makes several answers durable at once.
 */
void http_server_cork(struct http_server *server);
void http_server_uncork(struct http_server *server, int error);

const struct http_server_counters *http_server_get_counters(const struct http_server *server);

/* The owner's own pointer for the exchange at hand; NULL when a request begins. */
void http_socket_set_exchange(struct http_socket *socket, void *exchange);
void *http_socket_exchange(const struct http_socket *socket);

const struct http_request *http_socket_request(const struct http_socket *socket);

/* Addresses in host order; 127.0.0.1 stands for ::1. */
uint32_t http_socket_peer(const struct http_socket *socket);
uint32_t http_socket_local(const struct http_socket *socket);
uint16_t http_socket_local_port(const struct http_socket *socket);

/* As http_conn_read_body: the body of the request is wanted. */
void http_socket_read_body(struct http_socket *socket, int64_t max);

/* As http_conn_answer; HTTP_ANSWER_FILE only through http_socket_answer_file. */
void http_socket_answer(struct http_socket *socket, const struct http_answer *answer);

/*
 * Answers with answer->length bytes of fd from offset on; takes fd, also when nothing of it is
 * sent. When the file turns out to be shorter the connection is cut, so that the client sees it.
 */
void http_socket_answer_file(struct http_socket *socket, const struct http_answer *answer, int fd,
                             off_t offset);

/* Answers with an application/problem+json of that status; detail may be NULL. headers as in
 * struct http_answer. */
void http_socket_answer_problem(struct http_socket *socket, unsigned status, const char *detail,
                                struct slice headers);

/* Pieces and end of a stream, inside ops->fill. */
void http_socket_fill(struct http_socket *socket, struct slice data);
void http_socket_fill_end(struct http_socket *socket);

/* There may be something for a stream: ops->fill is asked again soon. */
void http_socket_wake(struct http_socket *socket);

/* Bytes of the file that were not given to the kernel; for `done`. */
int64_t http_socket_file_left(const struct http_socket *socket);

/* Cuts the connection; `done` follows. */
void http_socket_abort(struct http_socket *socket);

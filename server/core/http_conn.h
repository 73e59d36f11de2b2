/* SPDX-License-Identifier: MulanPSL-2.0 */
/*
 * One HTTP/1 connection of a server as an engine (RFC 9112): bytes of the peer go in, what is to be
 * done comes out of http_conn_next. It knows no socket, no path and no file. Requests are told one
 * at a time and answered in order, however many the peer has sent ahead.
 *
 * The owner's loop:
 *
 *	for (;;) switch (http_conn_next(conn, now, &body)) {
 *	case HTTP_WANT_INPUT:    wait; read up to http_conn_room bytes; http_conn_input
 *	case HTTP_WANT_REQUEST:  look at http_conn_request; then http_conn_answer, or
 *	                         http_conn_read_body, now or later
 *	case HTTP_WANT_BODY:     take the bytes in `body`
 *	case HTTP_WANT_BODY_END: http_conn_answer, now or later
 *	case HTTP_WANT_REFUSE:   http_conn_answer with the status of http_conn_refusal
 *	case HTTP_WANT_SEND:     write http_conn_output; http_conn_sent
 *	case HTTP_WANT_FILE:     send bytes of the file; http_conn_file_sent
 *	case HTTP_WANT_FILL:     http_conn_fill or http_conn_fill_end, now or later
 *	case HTTP_WANT_DONE:     the answer has left; forget the exchange
 *	case HTTP_WANT_SHUT:     shutdown(2) the sending side
 *	case HTTP_WANT_CLOSE:    close, free
 *	}
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "lib/base/bytes.h"
#include "lib/base/usec.h"
#include "server/core/http_output.h"
#include "server/proto/http_request.h"

struct http_conn;

struct http_conn_config {
	size_t head_max;     /* bytes of a request's head; at most HTTP_CONN_INPUT_MAX */
	usec_t head_timeout; /* from the first byte of a head to its last */
	usec_t idle_timeout; /* between two requests, and before the first */
	usec_t body_timeout; /* between two pieces of a body; USEC_INFINITY: no limit */
};

/* Read ahead of what is being answered; also the largest piece of a body. */
#define HTTP_CONN_INPUT_MAX ((size_t)65536)

/* 16 KiB, 20 s, 30 s, 60 s: heads of real clients are below 2 KiB; iPXE drops an idle connection
 * after 10 s. */
extern const struct http_conn_config http_conn_defaults;

enum http_want {
	HTTP_WANT_INPUT,
	HTTP_WANT_REQUEST, /* told once */
	HTTP_WANT_BODY,
	HTTP_WANT_BODY_END, /* told once */
	HTTP_WANT_REFUSE,   /* told once, instead of REQUEST, BODY or BODY_END */
	HTTP_WANT_SEND,
	HTTP_WANT_FILE,
	HTTP_WANT_FILL,
	HTTP_WANT_DONE, /* told once */
	HTTP_WANT_SHUT, /* told once */
	HTTP_WANT_CLOSE,
};

/* A connection that was just accepted. config must outlive it. Returns 0 or -ENOMEM. */
int http_conn_new(const struct http_conn_config *config, usec_t now, struct http_conn **ret);

struct http_conn *http_conn_free(struct http_conn *conn);

/* What to do now. *ret_body (written for HTTP_WANT_BODY only) is valid until the next call. */
enum http_want http_conn_next(struct http_conn *conn, usec_t now, struct slice *ret_body);

/* How many bytes http_conn_input takes. 0: read nothing, only watch for the end. */
size_t http_conn_room(const struct http_conn *conn);

/* Bytes of the peer, at most http_conn_room. Returns 0 or -ENOMEM. */
int http_conn_input(struct http_conn *conn, struct slice bytes, usec_t now);

/*
 * The peer will send no more. An answer that is on its way is finished; a request that waits for
 * its answer, and a stream, are over: next() says HTTP_WANT_CLOSE.
 */
void http_conn_input_end(struct http_conn *conn);

/* When to call http_conn_timeout; USEC_INFINITY: never. */
usec_t http_conn_deadline(const struct http_conn *conn);
void http_conn_timeout(struct http_conn *conn, usec_t now);

/* The request being handled, from HTTP_WANT_REQUEST until HTTP_WANT_DONE or HTTP_WANT_CLOSE. */
const struct http_request *http_conn_request(const struct http_conn *conn);

/* After HTTP_WANT_REFUSE: the status, and why in words. */
unsigned http_conn_refusal(const struct http_conn *conn, const char **ret_why);

/*
 * After HTTP_WANT_REQUEST: the body is wanted. Sends 100 when the client waits for it. A body of
 * more than max bytes is refused (413). Returns 0 or -ENOMEM.
 */
int http_conn_read_body(struct http_conn *conn, int64_t max);

/*
 * Answers the request that was told last (or its refusal). To HEAD the same head is sent, and
 * nothing behind it. When the body was not read it is read over, if it is short, or else the
 * connection is closed after the answer. wall: for Date. Returns 0 or -ENOMEM.
 */
int http_conn_answer(struct http_conn *conn, const struct http_answer *answer, usec_t wall);

/* Bytes to send, and how many of them were taken. More: bytes of a file follow at once. */
struct slice http_conn_output(const struct http_conn *conn, bool *ret_more);
void http_conn_sent(struct http_conn *conn, size_t n);

/* Bytes of the file still to be sent, and how many were. */
int64_t http_conn_file_left(const struct http_conn *conn);
void http_conn_file_sent(struct http_conn *conn, int64_t n);

/* The next piece of a stream, and its end. Return 0 or -ENOMEM. */
int http_conn_fill(struct http_conn *conn, struct slice data);
int http_conn_fill_end(struct http_conn *conn);

/* Gives up at once: the peer must see that its answer is not whole. */
void http_conn_abort(struct http_conn *conn);

/* Whether http_conn_next would say HTTP_WANT_CLOSE. */
bool http_conn_is_closed(const struct http_conn *conn);

/* No further request is taken; an open exchange is finished. */
void http_conn_stop(struct http_conn *conn);

/* SPDX-License-Identifier: MulanPSL-2.0 */
/*
 * One question to an HTTP server and its answer, over a socket that blocks with a time limit: all
 * that an initramfs needs of HTTP/1.1 (RFC 9112). https is the same over tls_link.h, in the program
 * that has it: libcurl's closure weighs 12 MB.
 */
#pragma once

#include "initramfs/http_reader.h"
#include "initramfs/tls_link.h"
#include "initramfs/url.h"
#include "lib/base/usec.h"

struct http_ask {
	const char *method; /* "GET", "POST" */
	struct url url;
	uint64_t offset;   /* > 0: Range from there */
	const char *etag;  /* with an offset: If-Range; "" or NULL is none */
	const char *token; /* Authorization: Bearer; "" or NULL is none */
	struct slice form; /* the body, application/x-www-form-urlencoded */
};

struct http_stream {
	int fd;               /* http */
	struct tls_link *tls; /* https */
	usec_t patience;
	struct http_reader reader; /* reader.head is what was answered */
	struct slice unread;
	const char *doing;          /* what failed, for people: "connect", "send", "receive" */
	char why[TLS_LINK_WHY_MAX]; /* of HTTP_STREAM_TLS and _DISTRUST */
	uint8_t room[64 << 10];
};

enum {
	HTTP_STREAM_BODY = 1,     /* *ret_piece is the next of the body */
	HTTP_STREAM_BAD = 2,      /* the answer is not HTTP */
	HTTP_STREAM_NAME = 3,     /* the server's name has no address */
	HTTP_STREAM_TLS = 4,      /* no TLS with this server: stream->why; it may pass */
	HTTP_STREAM_DISTRUST = 5, /* its certificate is not good: stream->why */
	HTTP_STREAM_NO_TLS = 6,   /* https, and this program has no TLS */
};

/*
 * Connects, asks, reads the head. `patience` limits each wait: for the connection, for a byte.
 * Returns 0, HTTP_STREAM_BAD, _NAME, _TLS, _DISTRUST or _NO_TLS, or -errno (-ETIMEDOUT; -ECONNRESET
 * also for an answer cut short). The caller closes in any case.
 */
int http_stream_open(struct http_stream *stream, const struct http_ask *ask, usec_t patience);

/* Connects and asks; does not read. For who does not want to know. Same outcomes. */
int http_stream_ask(struct http_stream *stream, const struct http_ask *ask, usec_t patience);

/* Returns HTTP_STREAM_BODY, 0 at the end of the answer, HTTP_STREAM_BAD or -errno as above. */
int http_stream_read(struct http_stream *stream, struct slice *ret_piece);

void http_stream_close(struct http_stream *stream);

/* SPDX-License-Identifier: MulanPSL-2.0 */
/*
 * Heads of HTTP/1.1 responses and the bodies of refusals (RFC 9110, 9112, 9457).
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "lib/base/buffer.h"
#include "lib/base/bytes.h"
#include "lib/base/usec.h"

/* "Not Found" and so on; "Unknown" for a status we never send. */
const char *http_status_reason(unsigned status);

/* Whether a response of that status never has a body (RFC 9110 section 6.4.1: 1xx, 204, 304). */
bool http_status_is_bodiless(unsigned status);

/*
 * Appends one header line to `out`. An empty (or NULL) value appends nothing: a line without value
 * is never sent. A value with CR, LF or another control character appends nothing and sets
 * out->overflow: it would be a way to smuggle a line in.
 */
void http_response_header(struct bytes *out, const char *name, const char *value);
void http_response_header_number(struct bytes *out, const char *name, uint64_t value);

/* Content-Range of a 206 for bytes first..last of `size`; of a 416 when last < first. */
void http_response_content_range(struct bytes *out, int64_t first, int64_t last, int64_t size);

/* How the body of a response is delimited (RFC 9112 section 6.3). */
enum http_framing {
	HTTP_FRAMING_LENGTH,  /* Content-Length */
	HTTP_FRAMING_CHUNKED, /* Transfer-Encoding: chunked */
	HTTP_FRAMING_CLOSE,   /* until the connection ends */
	HTTP_FRAMING_NONE,    /* no body, and nothing said about one: 1xx, 204, 304 */
};

struct http_response {
	unsigned status;
	enum http_framing framing;
	int64_t length;           /* HTTP_FRAMING_LENGTH */
	const char *content_type; /* NULL: none */
	struct slice headers;     /* further lines, made by http_response_header */
	bool is_close;            /* Connection: close */
	bool is_keep_alive;       /* Connection: keep-alive, for a client of HTTP/1.0 */
};

/* Appends status line, headers (Date from wall, microseconds since 1970) and the empty line. */
void http_response_build(struct buffer *out, const struct http_response *response, usec_t wall);

/*
 * Appends an application/problem+json document: title is the status's reason, detail our words
 * (may be NULL); text of peers in it is escaped.
 */
#define HTTP_PROBLEM_TYPE "application/problem+json"
void http_problem_build(struct buffer *out, unsigned status, const char *detail);

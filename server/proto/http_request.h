/* SPDX-License-Identifier: MulanPSL-2.0 */
/*
 * The head of an HTTP/1 request (RFC 9112 sections 2 to 6), read strictly: what two readers could
 * understand in two ways is refused. The grammar is http-parser's; the refusals beyond it are ours:
 * bare LF, folded lines, a second Host, Content-Length twice or beside Transfer-Encoding.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "lib/base/bytes.h"
#include "server/proto/http_method.h"

/* The headers somebody here looks at; all others are checked and forgotten. */
enum http_header {
	HTTP_HEADER_ACCEPT,
	HTTP_HEADER_AUTHORIZATION,
	HTTP_HEADER_CONTENT_LENGTH,
	HTTP_HEADER_CONTENT_RANGE,
	HTTP_HEADER_CONTENT_TYPE,
	HTTP_HEADER_COOKIE,
	HTTP_HEADER_EXPECT,
	HTTP_HEADER_HOST,
	HTTP_HEADER_IDEMPOTENCY_KEY,
	HTTP_HEADER_IF_MODIFIED_SINCE,
	HTTP_HEADER_IF_NONE_MATCH,
	HTTP_HEADER_IF_RANGE,
	HTTP_HEADER_LAST_EVENT_ID,
	HTTP_HEADER_RANGE,
	HTTP_HEADER_TRANSFER_ENCODING,
	HTTP_HEADER_USER_AGENT,
	_HTTP_HEADER_MAX,
};

#define HTTP_LENGTH_CHUNKED (-1)

/* All slices are views of the head that was parsed. */
struct http_request {
	enum http_method method;
	unsigned minor;      /* of HTTP/1.x: 0 or 1 */
	struct slice target; /* as sent: "/a%20b?c=d", or "*" */
	struct slice path;   /* of the target, still percent-encoded; begins with '/', or is "*" */
	struct slice query;  /* of the target, without '?' */
	struct slice header[_HTTP_HEADER_MAX]; /* trimmed; empty when absent or empty */
	int64_t length;        /* of the body; 0 when there is none, or HTTP_LENGTH_CHUNKED */
	bool is_keep_alive;    /* the client would use the connection again */
	bool expects_continue; /* the client waits for 100 before it sends the body */
};

#define HTTP_HEADERS_MAX 100 /* lines; real clients send about ten */

/*
 * Looks for the empty line that ends a head. `from` says how many bytes of `in` were looked at
 * before (0 at first), so that a slow sender costs O(n).
 * Returns 0 with *ret_len, the length of the head with its empty line; HTTP_HEAD_MORE when it is
 * not there yet; HTTP_HEAD_BAD when a line ends without CR: no use to wait for more.
 */
enum { HTTP_HEAD_MORE = 1, HTTP_HEAD_BAD = 2 };
int http_request_find_end(struct slice in, size_t from, size_t *ret_len);

/*
 * Parses a whole head, empty line included.
 * Returns 0 and fills *ret, or the status to refuse with: 400 (malformed, or of two meanings), 417
 * (an expectation we do not know), 431 (too many lines), 501 (method or transfer coding unknown),
 * 505 (not HTTP/1). Then *ret_why is a constant text that says what was wrong.
 */
int http_request_parse(struct slice head, struct http_request *ret, const char **ret_why);

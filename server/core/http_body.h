/* SPDX-License-Identifier: MulanPSL-2.0 */
/*
 * The body of a request on its way in, whichever way its length is told (RFC 9112 section 6).
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "lib/base/bytes.h"
#include "server/proto/http_chunked.h"

struct http_body {
	bool is_chunked, is_over;
	int64_t left; /* with a length: bytes still to come */
	int64_t max;  /* chunked: bytes that may still come */
	struct http_chunked chunked;
};

/* length as in struct http_request. */
void http_body_init(struct http_body *body, int64_t length);

enum http_body_outcome {
	HTTP_BODY_DATA = 0, /* *ret_data is content; ask again */
	HTTP_BODY_MORE = 1, /* *in is used up */
	HTTP_BODY_OVER = 2, /* what is left in *in is not of this body */
	HTTP_BODY_BAD = 3,
	HTTP_BODY_TOO_LONG = 4, /* a chunk would bring more than body->max */
};

/*
 * Takes bytes from the front of *in. *ret_data, a view into in that is never empty, is written for
 * HTTP_BODY_DATA only.
 */
enum http_body_outcome http_body_take(struct http_body *body, struct slice *in,
                                      struct slice *ret_data);

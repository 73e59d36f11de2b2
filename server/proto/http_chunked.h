/* SPDX-License-Identifier: MulanPSL-2.0 */
/*
 * The chunked transfer coding of HTTP/1.1 (RFC 9112 section 7.1), both ways. The decoder takes the
 * bytes of a connection in any pieces and tells which of them are content; extensions and trailers
 * are read over. Strict: CRLF only, no more than 15 hexadecimal digits.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "lib/base/buffer.h"
#include "lib/base/bytes.h"

struct http_chunked {
	uint8_t state;   /* private */
	unsigned n_line; /* bytes of the line we are in, or of all trailers */
	uint64_t left;   /* bytes of the chunk still to come; readable */
};

#define HTTP_CHUNKED_LINE_MAX 1024 /* size and extensions of a chunk; all trailers together */

/* Before the first byte of a body. */
void http_chunked_init(struct http_chunked *chunked);

enum {
	HTTP_CHUNKED_DATA = 0, /* *ret_data is content; ask again with the rest of *in */
	HTTP_CHUNKED_MORE = 1, /* *in is used up */
	HTTP_CHUNKED_END = 2,  /* the body has ended; what is left in *in is the next request */
	HTTP_CHUNKED_BAD = 3,  /* not this coding: answer 400 and close */
};

/*
 * Takes bytes from the front of *in up to the next content.
 * Returns one of the outcomes above; *ret_data (a view into in, never empty) only for DATA.
 */
int http_chunked_decode(struct http_chunked *chunked, struct slice *in, struct slice *ret_data);

/* Appends data as one chunk; nothing for no data, which would be the end. */
void http_chunked_append(struct buffer *out, struct slice data);

/* Appends the last chunk. */
void http_chunked_append_end(struct buffer *out);

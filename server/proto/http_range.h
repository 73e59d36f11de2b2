/* SPDX-License-Identifier: MulanPSL-2.0 */
/*
 * Ranges of bytes: what a GET asks for (RFC 9110 section 14.2) and what a PUT brings (14.4, 14.5).
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "lib/base/bytes.h"

struct http_range {
	uint64_t first; /* offset of the first byte */
	uint64_t len;   /* bytes; at least 1 for HTTP_RANGE_ONE */
};

enum http_range_outcome {
	HTTP_RANGE_WHOLE = 0,         /* no usable range: answer 200 with everything */
	HTTP_RANGE_ONE = 1,           /* answer 206 with *ret */
	HTTP_RANGE_UNSATISFIABLE = 2, /* answer 416 with "Content-Range: bytes `*`/size" */
};

/*
 * Reads the value of a Range header for a file of `size` bytes: bytes=a-b, bytes=a-, bytes=-n.
 * Anything else (another unit, a syntax error, several ranges) may be ignored and is
 * (RFC 9110 section 14.2). An empty slice stands for an absent header.
 * Returns an http_range_outcome; *ret is always written: the whole file, the range, or 0 bytes.
 */
int http_range_parse(struct slice header, uint64_t size, struct http_range *ret);

struct http_content_range {
	bool has_range;       /* false: "bytes `*`/total", which brings no bytes */
	uint64_t first, last; /* both included; when has_range */
	bool has_total;       /* false: "bytes a-b/`*`", the file still grows */
	uint64_t total;       /* bytes of the whole file; when has_total */
};

/*
 * Reads the value of a Content-Range header: bytes a-b/total, bytes a-b/`*`, bytes `*`/total,
 * where a <= b < total. Returns 0, or HTTP_CONTENT_RANGE_BAD.
 */
enum { HTTP_CONTENT_RANGE_BAD = 1 };
int http_content_range_parse(struct slice header, struct http_content_range *ret);

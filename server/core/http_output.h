/* SPDX-License-Identifier: MulanPSL-2.0 */
/*
 * An answer on its way out of an HTTP/1 connection: its head and what follows it, which comes from
 * memory, from a file that the owner sends himself, or piece by piece.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "lib/base/buffer.h"
#include "lib/base/bytes.h"
#include "lib/base/usec.h"
#include "server/proto/http_request.h"

enum http_answer_kind {
	HTTP_ANSWER_BYTES,  /* `body`, copied */
	HTTP_ANSWER_FILE,   /* `length` bytes that the owner sends himself */
	HTTP_ANSWER_STREAM, /* of unknown length: HTTP_WANT_FILL asks for it */
};

struct http_answer {
	unsigned status;
	const char *content_type; /* NULL: none */
	struct slice headers;     /* further lines, made by http_response_header */
	enum http_answer_kind kind;
	struct slice body;
	int64_t length;
	bool is_close; /* this is the last answer of the connection */
};

enum http_rest {
	HTTP_REST_NONE,
	HTTP_REST_FILE,
	HTTP_REST_STREAM, /* as it is, until the connection ends */
	HTTP_REST_STREAM_CHUNKED,
};

/* All zero: nothing is to be sent. */
struct http_output {
	struct buffer bytes;
	size_t sent;         /* bytes that have left */
	enum http_rest rest; /* what follows them */
	int64_t file_left;
};

void http_output_deinit(struct http_output *output);

/* Whether only the end of the connection can tell this client where the answer ends. */
bool http_output_needs_end(const struct http_request *request, const struct http_answer *answer);

/*
 * Begins the answer to a request. To HEAD the same head is sent, and nothing behind it. is_last:
 * tells the client that the connection ends with it. wall: for Date. Returns 0 or -ENOMEM.
 */
int http_output_begin(struct http_output *output, const struct http_request *request,
                      const struct http_answer *answer, bool is_last, usec_t wall);

/* What is to be sent now, a view valid until the next call of anything below; how much of it was.
 */
struct slice http_output_unsent(const struct http_output *output);
void http_output_sent(struct http_output *output, size_t n);

/* Bytes of a file, or pieces of a stream, are still to come. */
bool http_output_has_file(const struct http_output *output);
bool http_output_has_stream(const struct http_output *output);

/* Of the file n bytes were sent, at most as many as are left. */
void http_output_file_sent(struct http_output *output, int64_t n);

/* The next piece of a stream, and its end. Return 0 or -ENOMEM. */
int http_output_fill(struct http_output *output, struct slice data);
int http_output_fill_end(struct http_output *output);

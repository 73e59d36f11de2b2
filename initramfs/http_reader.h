/* SPDX-License-Identifier: MulanPSL-2.0 */
/*
 * The answer of an HTTP server (RFC 9110, 9112), read from whatever pieces a socket gives, over the
 * packaged http-parser. Pure: bytes in, head and pieces of the body out.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include <http_parser.h>

#include "lib/base/bytes.h"

#define HTTP_READER_VALUE_MAX 2048 /* of a Location, the longest header that is looked at */
#define HTTP_READER_HEAD_MAX  (64 << 10)

struct http_head {
	unsigned status;
	bool has_length;
	uint64_t length;      /* Content-Length */
	bool has_range;       /* a Content-Range of the form `bytes A-B/T` or `bytes A-B/` + '*' */
	uint64_t range_first; /* A */
	uint64_t range_last;  /* B ≥ A */
	bool has_total;
	uint64_t range_total;                 /* T > B */
	char location[HTTP_READER_VALUE_MAX]; /* empty: none, or too long to be used */
	char etag[256];                       /* empty: none, weak (RFC 9110 13.1.5), or too long */
};

/* Fields are http_reader.c's, except `head` after HTTP_READER_HEAD. */
struct http_reader {
	http_parser parser;
	struct http_head head;
	struct slice piece;
	char name[32], value[HTTP_READER_VALUE_MAX];
	size_t name_len, value_len, head_len;
	bool in_value, name_cut, value_cut;
	bool got_head, done, bad;
};

enum {
	HTTP_READER_HEAD = 1, /* the head is whole: reader->head */
	HTTP_READER_BODY = 2, /* *ret_piece is the next piece of the body, not empty */
	HTTP_READER_DONE = 3, /* the message is whole; nothing more is read */
	HTTP_READER_BAD = 4,  /* this is not HTTP, or a head without end */
};

/* Makes a reader for one answer. */
void http_reader_init(struct http_reader *reader);

/*
 * Takes bytes off *in until something is to be told. Returns one of the outcomes above, or 0 when
 * *in is used up and more is needed. *ret_piece is a view into what *in saw.
 */
int http_reader_input(struct http_reader *reader, struct slice *in, struct slice *ret_piece);

/*
 * The connection has ended. Returns HTTP_READER_DONE when the message was one that only the end of
 * the connection ends (or had ended before), or 0 when it has been cut short.
 */
int http_reader_end(struct http_reader *reader);

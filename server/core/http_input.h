/* SPDX-License-Identifier: MulanPSL-2.0 */
/*
 * What a peer has sent on an HTTP/1 connection and nobody has taken yet.
 */
#pragma once

#include "lib/base/buffer.h"
#include "lib/base/bytes.h"

/* All zero: nothing has come. */
struct http_input {
	struct buffer bytes;
	size_t pos;     /* bytes that were taken */
	size_t scanned; /* bytes behind pos known not to end a head */
};

void http_input_deinit(struct http_input *input);

/* A view that is valid until one of the functions below is called, http_input_pass excepted. */
struct slice http_input_unread(const struct http_input *input);

/* Appends what came. Returns 0 or -ENOMEM. */
int http_input_append(struct http_input *input, struct slice bytes);

/* Takes n bytes from the front. When nothing is left no memory is kept. */
void http_input_take(struct http_input *input, size_t n);

/* The same, but a view of them stays valid; http_input_take(input, 0) makes up for it. */
void http_input_pass(struct http_input *input, size_t n);

/*
 * Looks for a whole head of at most max bytes, over empty lines in front of it (RFC 9112 section
 * 2.2). Returns 0 with its length in *ret_len; HTTP_HEAD_MORE when it is not there yet; or the
 * status (400, 414, 431) with which to refuse what is there, and in *ret_why the reason in words.
 */
int http_input_find_head(struct http_input *input, size_t max, size_t *ret_len,
                         const char **ret_why);

/* SPDX-License-Identifier: MulanPSL-2.0 */
/*
 * A buffer with a place in it up to which everything was taken.
 */
#include "server/core/http_input.h"

#include "server/proto/http_request.h"

void http_input_deinit(struct http_input *input)
{
	buffer_deinit(&input->bytes);
	*input = (struct http_input){ .pos = 0 };
}

struct slice http_input_unread(const struct http_input *input)
{
	return slice_sub(buffer_slice(&input->bytes), input->pos, SIZE_MAX);
}

int http_input_append(struct http_input *input, struct slice bytes)
{
	buffer_consume(&input->bytes, input->pos);
	input->pos = 0;
	buffer_append_slice(&input->bytes, bytes);
	return buffer_error(&input->bytes);
}

void http_input_pass(struct http_input *input, size_t n)
{
	input->pos += n;
	input->scanned = 0;
}

void http_input_take(struct http_input *input, size_t n)
{
	if (n > 0)
		http_input_pass(input, n);
	if (input->pos < input->bytes.len)
		return;
	/* An idle or held connection keeps no buffer. */
	buffer_deinit(&input->bytes);
	input->pos = 0;
}

int http_input_find_head(struct http_input *input, size_t max, size_t *ret_len,
                         const char **ret_why)
{
	struct slice in;
	int r;

	while (slice_has_prefix(http_input_unread(input), SLICE_LITERAL("\r\n")))
		http_input_take(input, 2);
	in = slice_sub(http_input_unread(input), 0, max);
	r = http_request_find_end(in, input->scanned, ret_len);
	if (r == 0)
		return 0;
	input->scanned = in.len;
	if (r == HTTP_HEAD_BAD) {
		*ret_why = "a line does not end with CR LF";
		return 400;
	}
	if (in.len < max)
		return HTTP_HEAD_MORE;
	if (slice_find(in, '\n', 0) == in.len) {
		*ret_why = "the request line is too long";
		return 414;
	}
	*ret_why = "the head is too long";
	return 431;
}

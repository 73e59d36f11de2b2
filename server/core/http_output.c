/* SPDX-License-Identifier: MulanPSL-2.0 */
/*
 * A buffer, and what comes after it.
 */
#include "server/core/http_output.h"

#include <assert.h>

#include "server/proto/http_chunked.h"
#include "server/proto/http_response.h"

void http_output_deinit(struct http_output *output)
{
	buffer_deinit(&output->bytes);
	*output = (struct http_output){ .rest = HTTP_REST_NONE };
}

static enum http_framing choose_framing(const struct http_request *request,
                                        const struct http_answer *answer)
{
	if (http_status_is_bodiless(answer->status))
		return HTTP_FRAMING_NONE;
	if (answer->kind != HTTP_ANSWER_STREAM)
		return HTTP_FRAMING_LENGTH;
	return request->minor >= 1 ? HTTP_FRAMING_CHUNKED : HTTP_FRAMING_CLOSE;
}

bool http_output_needs_end(const struct http_request *request, const struct http_answer *answer)
{
	return choose_framing(request, answer) == HTTP_FRAMING_CLOSE;
}

/* What follows the head on the wire. */
static void begin_body(struct http_output *output, const struct http_answer *answer,
                       enum http_framing framing)
{
	switch (answer->kind) {
	case HTTP_ANSWER_BYTES:
		buffer_append_slice(&output->bytes, answer->body);
		break;
	case HTTP_ANSWER_FILE:
		output->rest = HTTP_REST_FILE;
		output->file_left = answer->length;
		break;
	case HTTP_ANSWER_STREAM:
		output->rest = framing == HTTP_FRAMING_CHUNKED ? HTTP_REST_STREAM_CHUNKED
		                                               : HTTP_REST_STREAM;
		break;
	}
}

int http_output_begin(struct http_output *output, const struct http_request *request,
                      const struct http_answer *answer, bool is_last, usec_t wall)
{
	struct http_response response = {
		.status = answer->status,
		.framing = choose_framing(request, answer),
		.length = answer->kind == HTTP_ANSWER_FILE ? answer->length
		                                           : (int64_t)answer->body.len,
		.content_type = answer->content_type,
		.headers = answer->headers,
		.is_close = is_last,
		.is_keep_alive = request->minor == 0,
	};

	http_response_build(&output->bytes, &response, wall);
	output->rest = HTTP_REST_NONE;
	if (response.framing != HTTP_FRAMING_NONE && request->method != HTTP_METHOD_HEAD)
		begin_body(output, answer, response.framing);
	return buffer_error(&output->bytes);
}

struct slice http_output_unsent(const struct http_output *output)
{
	return slice_sub(buffer_slice(&output->bytes), output->sent, SIZE_MAX);
}

void http_output_sent(struct http_output *output, size_t n)
{
	assert(n <= output->bytes.len - output->sent);
	output->sent += n;
	if (output->sent < output->bytes.len)
		return;
	buffer_deinit(&output->bytes);
	output->sent = 0;
}

bool http_output_has_file(const struct http_output *output)
{
	return output->rest == HTTP_REST_FILE && output->file_left > 0;
}

bool http_output_has_stream(const struct http_output *output)
{
	return output->rest == HTTP_REST_STREAM || output->rest == HTTP_REST_STREAM_CHUNKED;
}

void http_output_file_sent(struct http_output *output, int64_t n)
{
	assert(output->rest == HTTP_REST_FILE && n >= 0 && n <= output->file_left);
	output->file_left -= n;
}

int http_output_fill(struct http_output *output, struct slice data)
{
	assert(http_output_has_stream(output));
	if (output->rest == HTTP_REST_STREAM_CHUNKED)
		http_chunked_append(&output->bytes, data);
	else
		buffer_append_slice(&output->bytes, data);
	return buffer_error(&output->bytes);
}

int http_output_fill_end(struct http_output *output)
{
	assert(http_output_has_stream(output));
	if (output->rest == HTTP_REST_STREAM_CHUNKED)
		http_chunked_append_end(&output->bytes);
	output->rest = HTTP_REST_NONE;
	return buffer_error(&output->bytes);
}

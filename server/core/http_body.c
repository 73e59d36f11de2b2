/* SPDX-License-Identifier: MulanPSL-2.0 */
#include "server/core/http_body.h"

#include "lib/base/macro.h"
#include "server/proto/http_request.h"

void http_body_init(struct http_body *body, int64_t length)
{
	*body = (struct http_body){
		.is_chunked = length == HTTP_LENGTH_CHUNKED,
		.is_over = length == 0,
		.left = MAX(length, INT64_C(0)),
		.max = INT64_MAX,
	};
	http_chunked_init(&body->chunked);
}

static enum http_body_outcome take_counted(struct http_body *body, struct slice *in,
                                           struct slice *ret_data)
{
	if (in->len == 0)
		return HTTP_BODY_MORE;
	*ret_data = slice_take(in, (size_t)MIN((uint64_t)body->left, (uint64_t)in->len));
	body->left -= (int64_t)ret_data->len;
	body->is_over = body->left == 0;
	return HTTP_BODY_DATA;
}

static enum http_body_outcome take_chunked(struct http_body *body, struct slice *in,
                                           struct slice *ret_data)
{
	struct slice data = SLICE_NULL;

	switch (http_chunked_decode(&body->chunked, in, &data)) {
	case HTTP_CHUNKED_DATA:
		/* The size of a chunk is known with its first byte. */
		if ((int64_t)(data.len + body->chunked.left) > body->max)
			return HTTP_BODY_TOO_LONG;
		body->max -= (int64_t)data.len;
		*ret_data = data;
		return HTTP_BODY_DATA;
	case HTTP_CHUNKED_MORE:
		return HTTP_BODY_MORE;
	case HTTP_CHUNKED_END:
		body->is_over = true;
		return HTTP_BODY_OVER;
	default:
		return HTTP_BODY_BAD;
	}
}

enum http_body_outcome http_body_take(struct http_body *body, struct slice *in,
                                      struct slice *ret_data)
{
	if (body->is_over)
		return HTTP_BODY_OVER;
	return body->is_chunked ? take_chunked(body, in, ret_data)
	                        : take_counted(body, in, ret_data);
}

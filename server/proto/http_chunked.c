/* SPDX-License-Identifier: MulanPSL-2.0 */
/*
 * One byte a step outside of the content, whole pieces inside of it. Our own rather than
 * http-parser's, which reads a bare LF in trailers.
 */
#include "server/proto/http_chunked.h"

#include "lib/base/macro.h"
#include "lib/base/text.h"

enum state {
	STATE_SIZE_FIRST, /* first digit of a size */
	STATE_SIZE,
	STATE_EXTENSION,
	STATE_SIZE_LF,
	STATE_DATA,
	STATE_DATA_CR,
	STATE_DATA_LF,
	STATE_TRAILER_FIRST, /* first byte of a trailer line, or CR of the end */
	STATE_TRAILER,
	STATE_TRAILER_LF,
	STATE_END_LF,
	STATE_END,
	STATE_BAD,
};

#define SIZE_MAX_BEFORE_DIGIT (UINT64_MAX >> 8) /* one digit more stays below 2^60 */

void http_chunked_init(struct http_chunked *chunked)
{
	*chunked = (struct http_chunked){ .state = STATE_SIZE_FIRST };
}

static enum state after_digit(struct http_chunked *chunked, char c, enum state otherwise)
{
	int digit = char_hex_value(c);

	if (digit < 0)
		return otherwise;
	if (chunked->left > SIZE_MAX_BEFORE_DIGIT)
		return STATE_BAD;
	chunked->left = chunked->left << 4 | (unsigned)digit;
	return STATE_SIZE;
}

static enum state after_size(char c)
{
	if (c == '\r')
		return STATE_SIZE_LF;
	return c == ';' ? STATE_EXTENSION : STATE_BAD;
}

static enum state in_line(char c, enum state same, enum state end)
{
	if (c == '\r')
		return end;
	return (uint8_t)c >= ' ' || c == '\t' ? same : STATE_BAD;
}

/* The state after one byte that is not content. */
static enum state step(struct http_chunked *chunked, char c)
{
	switch ((enum state)chunked->state) {
	case STATE_SIZE_FIRST:
		return after_digit(chunked, c, STATE_BAD);
	case STATE_SIZE:
		return after_digit(chunked, c, after_size(c));
	case STATE_EXTENSION:
		return in_line(c, STATE_EXTENSION, STATE_SIZE_LF);
	case STATE_SIZE_LF:
		if (c != '\n')
			return STATE_BAD;
		return chunked->left > 0 ? STATE_DATA : STATE_TRAILER_FIRST;
	case STATE_DATA_CR:
		return c == '\r' ? STATE_DATA_LF : STATE_BAD;
	case STATE_DATA_LF:
		return c == '\n' ? STATE_SIZE_FIRST : STATE_BAD;
	case STATE_TRAILER_FIRST:
		return in_line(c, STATE_TRAILER, STATE_END_LF);
	case STATE_TRAILER:
		return in_line(c, STATE_TRAILER, STATE_TRAILER_LF);
	case STATE_TRAILER_LF:
		return c == '\n' ? STATE_TRAILER_FIRST : STATE_BAD;
	case STATE_END_LF:
		return c == '\n' ? STATE_END : STATE_BAD;
	case STATE_DATA:
	case STATE_END:
	case STATE_BAD:
		break;
	}
	return STATE_BAD;
}

static void take_byte(struct http_chunked *chunked, struct slice *in)
{
	struct slice byte = slice_take(in, 1);
	enum state before = chunked->state;

	chunked->state = (uint8_t)step(chunked, (char)byte.data[0]);
	/* Lines are bounded each, trailers together, and data starts the count anew. */
	if (before == STATE_DATA_LF)
		chunked->n_line = 0;
	else if (++chunked->n_line > HTTP_CHUNKED_LINE_MAX)
		chunked->state = STATE_BAD;
}

int http_chunked_decode(struct http_chunked *chunked, struct slice *in, struct slice *ret_data)
{
	for (;;) {
		if (chunked->state == STATE_END)
			return HTTP_CHUNKED_END;
		if (chunked->state == STATE_BAD)
			return HTTP_CHUNKED_BAD;
		if (in->len == 0)
			return HTTP_CHUNKED_MORE;
		if (chunked->state == STATE_DATA)
			break;
		take_byte(chunked, in);
	}
	*ret_data = slice_take(in, (size_t)MIN(chunked->left, (uint64_t)in->len));
	chunked->left -= ret_data->len;
	if (chunked->left == 0)
		chunked->state = STATE_DATA_CR;
	return HTTP_CHUNKED_DATA;
}

void http_chunked_append(struct buffer *out, struct slice data)
{
	if (data.len == 0)
		return;
	buffer_printf(out, "%zx\r\n", data.len);
	buffer_append_slice(out, data);
	buffer_append_text(out, "\r\n");
}

void http_chunked_append_end(struct buffer *out)
{
	buffer_append_text(out, "0\r\n\r\n");
}

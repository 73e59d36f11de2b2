/* SPDX-License-Identifier: MulanPSL-2.0 */
/*
 * The parser calls back; each callback of interest pauses it, so that our caller is told one thing
 * at a time and no callback leaves this file. Interim answers (1xx) are passed over.
 */
#include "initramfs/http_reader.h"

#include "lib/base/macro.h"
#include "lib/base/text.h"

static struct http_reader *reader_of(http_parser *parser)
{
	return CONTAINER_OF(parser, struct http_reader, parser);
}

/* Appends to a header's name or value; what is too long is remembered as useless. */
static void collect(char *to, size_t cap, size_t *len, bool *cut, const char *at, size_t n)
{
	if (n > cap - *len) {
		*cut = true;
		return;
	}
	memcpy(to + *len, at, n);
	*len += n;
}

/* "bytes 5-9/100", "bytes 5-9/" and a star */
static void take_content_range(struct http_head *head, struct slice value)
{
	struct slice unit = slice_cut(&value, ' '), first, last;
	uint64_t a, b, total;

	if (!slice_equal_nocase(unit, SLICE_LITERAL("bytes")))
		return;
	first = slice_cut(&value, '-');
	last = slice_cut(&value, '/');
	if (text_parse_u64(first, UINT64_MAX, &a) != 0 || text_parse_u64(last, UINT64_MAX, &b) != 0)
		return;
	if (b < a)
		return;
	if (!text_equal(value, "*")) {
		if (text_parse_u64(value, UINT64_MAX, &total) != 0 || total <= b)
			return;
		head->has_total = true;
		head->range_total = total;
	}
	head->has_range = true;
	head->range_first = a;
	head->range_last = b;
}

static void take_header(struct http_reader *reader)
{
	struct slice name = slice_make(reader->name, reader->name_len);
	struct slice value = text_trim(slice_make(reader->value, reader->value_len));
	struct http_head *head = &reader->head;

	if (reader->name_len == 0 || reader->name_cut || reader->value_cut)
		return;
	if (slice_equal_nocase(name, SLICE_LITERAL("location")))
		(void)text_copy(head->location, sizeof(head->location), value);
	else if (slice_equal_nocase(name, SLICE_LITERAL("etag")) &&
	         !slice_has_prefix(value, SLICE_LITERAL("W/")))
		(void)text_copy(head->etag, sizeof(head->etag), value);
	else if (slice_equal_nocase(name, SLICE_LITERAL("content-range")))
		take_content_range(head, value);
}

static int on_header_field(http_parser *parser, const char *at, size_t len)
{
	struct http_reader *reader = reader_of(parser);

	if (reader->in_value) {
		take_header(reader);
		reader->name_len = reader->value_len = 0;
		reader->in_value = reader->name_cut = reader->value_cut = false;
	}
	collect(reader->name, sizeof(reader->name), &reader->name_len, &reader->name_cut, at, len);
	return 0;
}

static int on_header_value(http_parser *parser, const char *at, size_t len)
{
	struct http_reader *reader = reader_of(parser);

	reader->in_value = true;
	collect(reader->value, sizeof(reader->value), &reader->value_len, &reader->value_cut, at,
	        len);
	return 0;
}

static int on_headers_complete(http_parser *parser)
{
	struct http_reader *reader = reader_of(parser);
	struct http_head *head = &reader->head;

	if (reader->got_head) /* trailers of a chunked body */
		return 0;
	if (reader->in_value)
		take_header(reader);
	reader->name_len = reader->value_len = 0;
	reader->in_value = reader->name_cut = reader->value_cut = false;
	head->status = parser->status_code;
	if (head->status < 200) {
		*head = (struct http_head){ .status = 0 };
		return 0;
	}
	head->has_length = parser->content_length != UINT64_MAX && !(parser->flags & F_CHUNKED);
	head->length = head->has_length ? parser->content_length : 0;
	reader->got_head = true;
	http_parser_pause(parser, 1);
	return 0;
}

static int on_body(http_parser *parser, const char *at, size_t len)
{
	struct http_reader *reader = reader_of(parser);

	reader->piece = slice_make(at, len);
	http_parser_pause(parser, 1);
	return 0;
}

static int on_message_complete(http_parser *parser)
{
	struct http_reader *reader = reader_of(parser);

	if (!reader->got_head) /* 100 Continue: the answer itself comes next */
		return 0;
	reader->done = true;
	http_parser_pause(parser, 1);
	return 0;
}

static const http_parser_settings settings = {
	.on_header_field = on_header_field,
	.on_header_value = on_header_value,
	.on_headers_complete = on_headers_complete,
	.on_body = on_body,
	.on_message_complete = on_message_complete,
};

void http_reader_init(struct http_reader *reader)
{
	*reader = (struct http_reader){ .head = { .status = 0 } };
	http_parser_init(&reader->parser, HTTP_RESPONSE);
}

/* One run of the parser, up to the first thing to tell. */
static int run(struct http_reader *reader, struct slice *in)
{
	bool had_head = reader->got_head;
	enum http_errno error;
	size_t n;

	n = http_parser_execute(&reader->parser, &settings, (const char *)in->data, in->len);
	error = HTTP_PARSER_ERRNO(&reader->parser);
	if (error != HPE_OK && error != HPE_PAUSED) {
		reader->bad = true;
		return HTTP_READER_BAD;
	}
	if (!had_head)
		reader->head_len += n;
	if (error == HPE_PAUSED)
		http_parser_pause(&reader->parser, 0);
	(void)slice_take(in, MIN(n, in->len));
	if (reader->head_len > HTTP_READER_HEAD_MAX || reader->parser.upgrade) {
		reader->bad = true;
		return HTTP_READER_BAD;
	}
	return 0;
}

int http_reader_input(struct http_reader *reader, struct slice *in, struct slice *ret_piece)
{
	while (!reader->bad && !reader->done && in->len > 0) {
		bool had_head = reader->got_head;

		reader->piece = SLICE_NULL;
		if (run(reader, in) != 0)
			return HTTP_READER_BAD;
		if (!had_head && reader->got_head)
			return HTTP_READER_HEAD;
		if (reader->piece.len > 0) {
			*ret_piece = reader->piece;
			return HTTP_READER_BODY;
		}
	}
	if (reader->bad)
		return HTTP_READER_BAD;
	return reader->done ? HTTP_READER_DONE : 0;
}

int http_reader_end(struct http_reader *reader)
{
	if (reader->done)
		return HTTP_READER_DONE;
	if (reader->bad || !reader->got_head)
		return 0;
	(void)http_parser_execute(&reader->parser, &settings, NULL, 0);
	return reader->done ? HTTP_READER_DONE : 0;
}

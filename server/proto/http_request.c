/* SPDX-License-Identifier: MulanPSL-2.0 */
/*
 * Over http-parser: it is given one whole head at a time, so that each name and each value comes in
 * one piece and can be kept as a view. Bodies never go through it: a counter or http_chunked do.
 */
#include "server/proto/http_request.h"

/* http-parser has an enum of the same name as ours. */
#define http_method http_parser_method
#include <http_parser.h>
#undef http_method

#include "lib/base/macro.h"
#include "lib/base/table.h"
#include "lib/base/text.h"
#include "server/proto/url_path.h"

static const char *const header_names[_HTTP_HEADER_MAX] = {
	[HTTP_HEADER_ACCEPT] = "accept",
	[HTTP_HEADER_AUTHORIZATION] = "authorization",
	[HTTP_HEADER_CONTENT_LENGTH] = "content-length",
	[HTTP_HEADER_CONTENT_RANGE] = "content-range",
	[HTTP_HEADER_CONTENT_TYPE] = "content-type",
	[HTTP_HEADER_COOKIE] = "cookie",
	[HTTP_HEADER_EXPECT] = "expect",
	[HTTP_HEADER_HOST] = "host",
	[HTTP_HEADER_IDEMPOTENCY_KEY] = "idempotency-key",
	[HTTP_HEADER_IF_MODIFIED_SINCE] = "if-modified-since",
	[HTTP_HEADER_IF_NONE_MATCH] = "if-none-match",
	[HTTP_HEADER_IF_RANGE] = "if-range",
	[HTTP_HEADER_LAST_EVENT_ID] = "last-event-id",
	[HTTP_HEADER_RANGE] = "range",
	[HTTP_HEADER_TRANSFER_ENCODING] = "transfer-encoding",
	[HTTP_HEADER_USER_AGENT] = "user-agent",
};

/* Lists may come in several lines (RFC 9110 5.3): the first is kept. Everything else may not. */
static bool may_repeat(int header)
{
	return header == HTTP_HEADER_ACCEPT || header == HTTP_HEADER_COOKIE ||
	       header == HTTP_HEADER_IF_NONE_MATCH || header == HTTP_HEADER_USER_AGENT;
}

/* What the callbacks of http-parser write. */
struct head_scan {
	struct http_request *request;
	const char *why; /* set when we refuse */
	unsigned status;
	unsigned n_headers;
	int header; /* the one whose value comes next; -1 when nobody looks at it */
	bool is_seen[_HTTP_HEADER_MAX];
	bool is_complete;
};

static int refuse(struct head_scan *scan, unsigned status, const char *why)
{
	scan->status = status;
	scan->why = why;
	return 1; /* http-parser stops at once */
}

static bool is_token(struct slice s)
{
	for (size_t i = 0; i < s.len; i++) {
		char c = (char)s.data[i];

		if (!char_is_alnum(c) && (c == '\0' || !strchr("!#$%&'*+-.^_`|~", c)))
			return false;
	}
	return s.len > 0;
}

static int on_header_field(http_parser *parser, const char *at, size_t len)
{
	struct head_scan *scan = parser->data;
	struct slice name = slice_make(at, len);

	if (++scan->n_headers > HTTP_HEADERS_MAX)
		return refuse(scan, 431, "too many header lines");
	if (!is_token(name))
		return refuse(scan, 400, "malformed header name");
	scan->header = table_value_nocase(header_names, _HTTP_HEADER_MAX, name);
	if (scan->header < 0)
		return 0;
	if (scan->is_seen[scan->header] && !may_repeat(scan->header))
		return refuse(scan, 400, "a header that may stand once stands twice");
	return 0;
}

static int on_header_value(http_parser *parser, const char *at, size_t len)
{
	struct head_scan *scan = parser->data;

	if (scan->header < 0 || scan->is_seen[scan->header])
		return 0;
	scan->is_seen[scan->header] = true;
	scan->request->header[scan->header] = text_trim(slice_make(at, len));
	return 0;
}

static int on_headers_complete(http_parser *parser)
{
	struct head_scan *scan = parser->data;

	scan->is_complete = true;
	scan->request->is_keep_alive = http_should_keep_alive(parser) != 0;
	return 0;
}

static const http_parser_settings settings = {
	.on_header_field = on_header_field,
	.on_header_value = on_header_value,
	.on_headers_complete = on_headers_complete,
};

int http_request_find_end(struct slice in, size_t from, size_t *ret_len)
{
	for (size_t i = slice_find(in, '\n', from); i < in.len; i = slice_find(in, '\n', i + 1)) {
		if (i == 0 || in.data[i - 1] != '\r')
			return HTTP_HEAD_BAD;
		if (i >= 3 && in.data[i - 2] == '\n') {
			*ret_len = i + 1;
			return 0;
		}
	}
	return HTTP_HEAD_MORE;
}

/* Each line ends with CRLF, and none continues the one before (obs-fold, RFC 9112 5.2). */
static bool has_plain_lines(struct slice head)
{
	for (size_t i = slice_find(head, '\n', 0); i < head.len;
	     i = slice_find(head, '\n', i + 1)) {
		if (i == 0 || head.data[i - 1] != '\r')
			return false;
		if (i + 1 < head.len && (head.data[i + 1] == ' ' || head.data[i + 1] == '\t'))
			return false;
	}
	return true;
}

/* The method, before http-parser sees it: of one we do not know it would only say "invalid". */
static int parse_method(struct slice head, struct http_request *request, const char **ret_why)
{
	struct slice method = slice_sub(head, 0, slice_find(head, ' ', 0));
	int value;

	if (method.len > 32 || !is_token(method)) {
		*ret_why = "malformed request line";
		return 400;
	}
	value = http_method_from_name(method);
	if (value < 0) {
		*ret_why = "unknown method";
		return 501;
	}
	request->method = value;
	return 0;
}

/* Of http://host/path the host stands in place of Host (RFC 9112 3.2.2). */
static bool take_authority(struct http_request *request)
{
	struct slice rest = request->target;

	if (!slice_equal_nocase(slice_sub(rest, 0, 7), SLICE_LITERAL("http://")))
		return false;
	rest = slice_sub(rest, 7, SIZE_MAX);
	rest = slice_sub(rest, 0, slice_find(rest, '/', 0));
	request->header[HTTP_HEADER_HOST] = slice_sub(rest, 0, slice_find(rest, '?', 0));
	return rest.len > 0;
}

static bool split_target(struct http_request *request)
{
	struct slice target = request->target;

	if (target.len == 0 || slice_find(target, '#', 0) < target.len)
		return false;
	if (text_equal(target, "*")) {
		request->path = target;
		return request->method == HTTP_METHOD_OPTIONS;
	}
	if (target.data[0] != '/' && !take_authority(request))
		return false;
	url_split_target(target, &request->path, &request->query);
	return true;
}

/* Only what can stand in the authority of a URL: a Host comes back in Location headers. */
static bool is_host(struct slice host)
{
	for (size_t i = 0; i < host.len; i++) {
		char c = (char)host.data[i];

		if (!char_is_alnum(c) && (c == '\0' || !strchr(".-_:[]", c)))
			return false;
	}
	return host.len <= 255;
}

/* How long the body is (RFC 9112 6.3). */
static int parse_length(const struct head_scan *scan, struct http_request *request,
                        const char **ret_why)
{
	uint64_t length = 0;

	if (scan->is_seen[HTTP_HEADER_TRANSFER_ENCODING]) {
		if (scan->is_seen[HTTP_HEADER_CONTENT_LENGTH] || request->minor == 0) {
			*ret_why = "Transfer-Encoding beside Content-Length, or in HTTP/1.0";
			return 400;
		}
		if (!slice_equal_nocase(request->header[HTTP_HEADER_TRANSFER_ENCODING],
		                        SLICE_LITERAL("chunked"))) {
			*ret_why = "unknown transfer coding";
			return 501;
		}
		request->length = HTTP_LENGTH_CHUNKED;
		return 0;
	}
	if (scan->is_seen[HTTP_HEADER_CONTENT_LENGTH] &&
	    text_parse_u64(request->header[HTTP_HEADER_CONTENT_LENGTH], INT64_MAX, &length) != 0) {
		*ret_why = "malformed Content-Length";
		return 400;
	}
	request->length = (int64_t)length;
	return 0;
}

static int parse_expect(struct http_request *request, const char **ret_why)
{
	struct slice expect = request->header[HTTP_HEADER_EXPECT];

	if (expect.len == 0 || request->minor == 0) /* 1.0: ignored (RFC 9110 10.1.1) */
		return 0;
	if (!slice_equal_nocase(expect, SLICE_LITERAL("100-continue"))) {
		*ret_why = "unknown expectation";
		return 417;
	}
	request->expects_continue = request->length != 0;
	return 0;
}

/* What the lines mean together, after each was found well formed. */
static int check_meaning(const struct head_scan *scan, struct http_request *request,
                         const char **ret_why)
{
	int r;

	if (request->minor >= 1 && !scan->is_seen[HTTP_HEADER_HOST]) {
		*ret_why = "HTTP/1.1 without Host";
		return 400;
	}
	if (!split_target(request)) {
		*ret_why = "malformed request target";
		return 400;
	}
	if (!is_host(request->header[HTTP_HEADER_HOST])) {
		*ret_why = "malformed Host";
		return 400;
	}
	r = parse_length(scan, request, ret_why);
	if (r != 0)
		return r;
	return parse_expect(request, ret_why);
}

/*
 * One space on each side of the target and nothing behind the version: http-parser takes more.
 * Between them a query may have spaces: that is how busybox wget sends the one it was given.
 */
static bool find_target(struct slice head, struct slice *ret)
{
	size_t line = slice_find(head, '\r', 0), from = slice_find(head, ' ', 0) + 1;
	size_t version = strlen(" HTTP/1.1");
	struct slice target;

	if (line < from + version || head.data[line - version] != ' ')
		return false;
	target = slice_sub(head, from, line - version - from);
	if (slice_find(target, ' ', 0) < slice_find(target, '?', 0) || target.len == 0 ||
	    target.data[target.len - 1] == ' ')
		return false;
	*ret = target;
	return true;
}

/* Runs http-parser over the head, showing it a plus for each space of the query. */
static bool run_parser(http_parser *parser, struct slice head, struct slice target)
{
	size_t end = (size_t)(target.data - head.data) + target.len, from = 0;

	for (size_t i = slice_find(head, ' ', (size_t)(target.data - head.data)); i < end;
	     i = slice_find(head, ' ', from)) {
		if (http_parser_execute(parser, &settings, (const char *)head.data + from,
		                        i - from) != i - from ||
		    http_parser_execute(parser, &settings, "+", 1) != 1)
			return false;
		from = i + 1;
	}
	return http_parser_execute(parser, &settings, (const char *)head.data + from,
	                           head.len - from) == head.len - from;
}

/* Runs http-parser over the head. Returns 0 or the status to refuse with. */
static int scan_head(struct head_scan *scan, struct slice head, const char **ret_why)
{
	http_parser parser;
	bool is_taken;

	if (!find_target(head, &scan->request->target)) {
		*ret_why = "malformed request line";
		return 400;
	}
	http_parser_init(&parser, HTTP_REQUEST);
	parser.data = scan;
	is_taken = run_parser(&parser, head, scan->request->target);
	if (scan->status != 0) {
		*ret_why = scan->why;
		return (int)scan->status;
	}
	if (HTTP_PARSER_ERRNO(&parser) != HPE_OK || !is_taken || !scan->is_complete) {
		*ret_why = "malformed request head";
		return 400;
	}
	if (parser.http_major != 1) {
		*ret_why = "not HTTP/1";
		return 505;
	}
	scan->request->minor = MIN(parser.http_minor, 1U);
	return 0;
}

int http_request_parse(struct slice head, struct http_request *ret, const char **ret_why)
{
	struct http_request request = { .method = HTTP_METHOD_GET };
	struct head_scan scan = { .request = &request, .header = -1 };
	int r;

	if (!has_plain_lines(head) || slice_find(head, '\0', 0) < head.len) {
		*ret_why = "bare LF, folded header line or NUL";
		return 400;
	}
	r = parse_method(head, &request, ret_why);
	if (r != 0)
		return r;
	r = scan_head(&scan, head, ret_why);
	if (r != 0)
		return r;
	r = check_meaning(&scan, &request, ret_why);
	if (r != 0)
		return r;
	*ret = request;
	return 0;
}

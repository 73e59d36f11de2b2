/* SPDX-License-Identifier: MulanPSL-2.0 */
#include "tests/support/test.h"

#include "lib/base/macro.h"
#include "lib/base/text.h"
#include "server/proto/http_request.h"

static struct http_request request;

static int parse(const char *head)
{
	const char *why = NULL;
	int r = http_request_parse(slice_from_text(head), &request, &why);

	assert_true(r == 0 || why != NULL);
	return r;
}

static void a_request_of_curl_is_understood(void **state)
{
	assert_int_equal(parse("PUT /result/a%20b/?x=1&y HTTP/1.1\r\nHost: 10.0.0.1:3080\r\n"
	                       "User-Agent: curl/7.88.1\r\nAccept: */*\r\n"
	                       "cookie:  JOBID=lab1.7 \r\nContent-Length: 11\r\n"
	                       "Expect: 100-continue\r\n\r\n"),
	                 0);
	assert_int_equal(request.method, HTTP_METHOD_PUT);
	assert_int_equal(request.minor, 1);
	assert_slice_equal(request.target, "/result/a%20b/?x=1&y");
	assert_slice_equal(request.path, "/result/a%20b/");
	assert_slice_equal(request.query, "x=1&y");
	assert_slice_equal(request.header[HTTP_HEADER_HOST], "10.0.0.1:3080");
	assert_slice_equal(request.header[HTTP_HEADER_COOKIE], "JOBID=lab1.7");
	assert_slice_equal(request.header[HTTP_HEADER_RANGE], "");
	assert_int_equal(request.length, 11);
	assert_true(request.is_keep_alive);
	assert_true(request.expects_continue);
}

static void connection_and_version_decide_about_keep_alive(void **state)
{
	static const struct {
		const char *head;
		bool is_keep_alive;
	} cases[] = {
		{ "GET / HTTP/1.1\r\nHost: a\r\n\r\n", true },
		{ "GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n", false },
		{ "GET / HTTP/1.1\r\nHost: a\r\nConnection: TE, Close\r\n\r\n", false },
		{ "GET / HTTP/1.0\r\n\r\n", false },
		{ "GET / HTTP/1.0\r\nConnection: Keep-Alive\r\n\r\n", true },
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		assert_int_equal(parse(cases[i].head), 0);
		assert_int_equal(request.is_keep_alive, cases[i].is_keep_alive);
	}
}

static void an_absolute_target_brings_its_own_host(void **state)
{
	assert_int_equal(parse("GET http://b:81/x?y HTTP/1.1\r\nHost: a\r\n\r\n"), 0);
	assert_slice_equal(request.path, "/x");
	assert_slice_equal(request.query, "y");
	assert_slice_equal(request.header[HTTP_HEADER_HOST], "b:81");
	assert_int_equal(parse("GET http://b HTTP/1.1\r\nHost: a\r\n\r\n"), 0);
	assert_slice_equal(request.path, "/");
	assert_int_equal(parse("OPTIONS * HTTP/1.1\r\nHost: a\r\n\r\n"), 0);
	assert_slice_equal(request.path, "*");
}

/* busybox wget sends the query as it was written. */
static void a_query_may_have_spaces(void **state)
{
	assert_int_equal(parse("GET /x?a=3.45 1.65 1/65&b=c d HTTP/1.1\r\nHost: a\r\n"
	                       "User-Agent: b c\r\n\r\n"),
	                 0);
	assert_slice_equal(request.path, "/x");
	assert_slice_equal(request.query, "a=3.45 1.65 1/65&b=c d");
	assert_slice_equal(request.header[HTTP_HEADER_USER_AGENT], "b c");
	assert_int_equal(parse("GET /x y?a=b HTTP/1.1\r\nHost: a\r\n\r\n"), 400);
	assert_int_equal(parse("GET /x?a=b  HTTP/1.1\r\nHost: a\r\n\r\n"), 400);
	assert_int_equal(parse("GET  /x?a=b HTTP/1.1\r\nHost: a\r\n\r\n"), 400);
	assert_int_equal(parse("GET /x?a=b HTTP/1.1 HTTP/1.1\r\nHost: a\r\n\r\n"), 0);
	assert_slice_equal(request.query, "a=b HTTP/1.1");
	assert_int_equal(parse("GET /x?a=b\x01 c HTTP/1.1\r\nHost: a\r\n\r\n"), 400);
}

static void a_chunked_body_has_no_length(void **state)
{
	assert_int_equal(parse("POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: Chunked\r\n\r\n"),
	                 0);
	assert_int_equal(request.length, HTTP_LENGTH_CHUNKED);
	assert_int_equal(parse("GET / HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\n\r\n"), 0);
	assert_false(request.expects_continue); /* nothing to send */
}

#define HOST "Host: a\r\n"

static void what_has_two_meanings_is_refused(void **state)
{
	static const struct {
		const char *head;
		int status;
	} cases[] = {
		{ "GET / HTTP/1.1\r\n\r\n", 400 },
		{ "GET / HTTP/1.1\r\n" HOST HOST "\r\n", 400 },
		{ "GET / HTTP/1.1\r\n" HOST "Content-Length: 1\r\nContent-Length: 2\r\n\r\n", 400 },
		{ "GET / HTTP/1.1\r\n" HOST "Content-Length: 1\r\nContent-Length: 1\r\n\r\n", 400 },
		{ "GET / HTTP/1.1\r\n" HOST "Content-Length: 1, 1\r\n\r\n", 400 },
		{ "GET / HTTP/1.1\r\n" HOST "Content-Length: +1\r\n\r\n", 400 },
		{ "GET / HTTP/1.1\r\n" HOST "Content-Length: \r\n\r\n", 400 },
		{ "GET / HTTP/1.1\r\n" HOST "Content-Length: 9223372036854775808\r\n\r\n", 400 },
		{ "PUT / HTTP/1.1\r\n" HOST
		  "Content-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n",
		  400 },
		{ "PUT / HTTP/1.1\r\n" HOST
		  "Transfer-Encoding: chunked\r\nContent-Length: 1\r\n\r\n",
		  400 },
		{ "PUT / HTTP/1.0\r\n" HOST "Transfer-Encoding: chunked\r\n\r\n", 400 },
		{ "PUT / HTTP/1.1\r\n" HOST "Transfer-Encoding: gzip, chunked\r\n\r\n", 501 },
		{ "PUT / HTTP/1.1\r\n" HOST "Transfer-Encoding : chunked\r\n\r\n", 400 },
		{ "GET / HTTP/1.1\r\n" HOST "A: b\r\n c\r\n\r\n", 400 },
		{ "GET / HTTP/1.1\r\n A: b\r\n" HOST "\r\n", 400 },
		{ "GET / HTTP/1.1\r\n" HOST "A: b\nC: d\r\n\r\n", 400 },
		{ "GET / HTTP/1.1\r\n" HOST "A: b\rC: d\r\n\r\n", 400 },
		{ "GET / HTTP/1.1\r\n" HOST "A: b\x01\r\n\r\n", 400 },
		{ "GET / HTTP/1.1\r\n" HOST ": b\r\n\r\n", 400 },
		{ "GET / HTTP/1.1\r\n" HOST "A b\r\n\r\n", 400 },
		{ "GET / HTTP/1.1\r\nHost: a b\r\n\r\n", 400 },
		{ "GET / HTTP/1.1\r\nHost: a/b\r\n\r\n", 400 },
		{ "GET / HTTP/1.1\r\nHost: \"a\"\r\n\r\n", 400 },
		{ "GET  / HTTP/1.1\r\n" HOST "\r\n", 400 },
		{ "GET / HTTP/1.1 \r\n" HOST "\r\n", 400 },
		{ "GET /\r\n\r\n", 400 },
		{ "GET x HTTP/1.1\r\n" HOST "\r\n", 400 },
		{ "GET * HTTP/1.1\r\n" HOST "\r\n", 400 },
		{ "GET /#x HTTP/1.1\r\n" HOST "\r\n", 400 },
		{ "GET http:///x HTTP/1.1\r\n" HOST "\r\n", 400 },
		{ "GET / http/1.1\r\n" HOST "\r\n", 400 },
		{ "GET / HTTP/2.0\r\n" HOST "\r\n", 505 },
		{ "GET / HTTP/0.9\r\n" HOST "\r\n", 505 },
		{ "PATCH / HTTP/1.1\r\n" HOST "\r\n", 501 },
		{ "get / HTTP/1.1\r\n" HOST "\r\n", 501 },
		{ "FROB / HTTP/1.1\r\n" HOST "\r\n", 501 },
		{ "G\x01T / HTTP/1.1\r\n" HOST "\r\n", 400 },
		{ "\x16\x03\x01\x02 / HTTP/1.1\r\n\r\n", 400 },
		{ "PUT / HTTP/1.1\r\n" HOST "Content-Length: 1\r\nExpect: 200-ok\r\n\r\n", 417 },
		{ "GET / HTTP/1.1\r\n" HOST "Range: bytes=0-1\r\nRange: bytes=2-3\r\n\r\n", 400 },
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		int r = parse(cases[i].head);

		if (r != cases[i].status)
			print_error("%s", cases[i].head);
		assert_int_equal(r, cases[i].status);
	}
}

static void nul_is_refused(void **state)
{
	static const char head[] = "GET / HTTP/1.1\r\nHost: a\r\nA: b\0c\r\n\r\n";
	const char *why;

	assert_int_equal(http_request_parse(slice_make(head, sizeof(head) - 1), &request, &why),
	                 400);
}

static void lines_beyond_the_limit_are_refused(void **state)
{
	uint8_t room[4096];
	struct bytes head = BYTES_ON(room);
	const char *why;

	bytes_append_text(&head, "GET / HTTP/1.1\r\nHost: a\r\n");
	for (int i = 0; i < HTTP_HEADERS_MAX; i++)
		bytes_printf(&head, "X-%d: y\r\n", i);
	bytes_append_text(&head, "\r\n");
	assert_false(head.overflow);
	assert_int_equal(http_request_parse(bytes_slice(&head), &request, &why), 431);
}

static void the_end_of_a_head_is_found_in_any_pieces(void **state)
{
	static const char text[] = "GET / HTTP/1.1\r\nHost: a\r\n\r\nGET /2";
	struct slice all = SLICE_LITERAL("GET / HTTP/1.1\r\nHost: a\r\n\r\nGET /2");
	size_t end = strlen("GET / HTTP/1.1\r\nHost: a\r\n\r\n"), len = 0;

	for (size_t cut = 0; cut <= all.len; cut++) {
		int r = http_request_find_end(slice_make(text, cut), 0, &len);

		assert_int_equal(r, cut < end ? HTTP_HEAD_MORE : 0);
		if (r == HTTP_HEAD_MORE)
			assert_int_equal(http_request_find_end(all, cut, &len), 0);
		assert_int_equal(len, end);
	}
	assert_int_equal(http_request_find_end(SLICE_LITERAL("GET / HTTP/1.0\n"), 0, &len),
	                 HTTP_HEAD_BAD);
	assert_int_equal(http_request_find_end(SLICE_LITERAL("\n"), 0, &len), HTTP_HEAD_BAD);
	assert_int_equal(http_request_find_end(SLICE_LITERAL("a\r\n\n"), 0, &len), HTTP_HEAD_BAD);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_request_of_curl_is_understood),
		cmocka_unit_test(connection_and_version_decide_about_keep_alive),
		cmocka_unit_test(an_absolute_target_brings_its_own_host),
		cmocka_unit_test(a_query_may_have_spaces),
		cmocka_unit_test(a_chunked_body_has_no_length),
		cmocka_unit_test(what_has_two_meanings_is_refused),
		cmocka_unit_test(nul_is_refused),
		cmocka_unit_test(lines_beyond_the_limit_are_refused),
		cmocka_unit_test(the_end_of_a_head_is_found_in_any_pieces),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

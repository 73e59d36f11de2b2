/* SPDX-License-Identifier: MulanPSL-2.0 */
#include "tests/support/test.h"

#include "lib/base/macro.h"
#include "server/proto/http_condition.h"
#include "server/proto/http_response.h"

#define DATE "Date: Sun, 06 Nov 1994 08:49:37 GMT\r\n"
#define WALL (784111777 * USEC_PER_SEC + 999)

static void heads_are_written_byte_by_byte(void **state)
{
	const struct {
		struct http_response response;
		const char *text;
	} cases[] = {
		{ { .status = 200, .length = 12, .content_type = "text/plain" },
		  "HTTP/1.1 200 OK\r\n" DATE
		  "Content-Type: text/plain\r\nContent-Length: 12\r\n\r\n" },
		{ { .status = 404, .length = 0, .is_close = true },
		  "HTTP/1.1 404 Not Found\r\n" DATE
		  "Content-Length: 0\r\nConnection: close\r\n\r\n" },
		{ { .status = 200,
		    .framing = HTTP_FRAMING_CHUNKED,
		    .is_keep_alive = true,
		    .headers = SLICE_LITERAL("X-A: b\r\n") },
		  "HTTP/1.1 200 OK\r\n" DATE
		  "X-A: b\r\nTransfer-Encoding: chunked\r\nConnection: keep-alive\r\n\r\n" },
		{ { .status = 200, .framing = HTTP_FRAMING_CLOSE, .is_keep_alive = true },
		  "HTTP/1.1 200 OK\r\n" DATE "Connection: close\r\n\r\n" },
		{ { .status = 304, .framing = HTTP_FRAMING_NONE },
		  "HTTP/1.1 304 Not Modified\r\n" DATE "\r\n" },
		{ { .status = 299, .framing = HTTP_FRAMING_NONE },
		  "HTTP/1.1 299 Unknown\r\n" DATE "\r\n" },
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct buffer out = BUFFER_NULL;

		http_response_build(&out, &cases[i].response, WALL);
		assert_slice_equal(buffer_slice(&out), cases[i].text);
		buffer_deinit(&out);
	}
}

static void no_header_is_empty_and_none_smuggles_a_line(void **state)
{
	char room[128];
	struct bytes out = BYTES_ON(room);

	http_response_header(&out, "Allow", "");
	http_response_header(&out, "Allow", NULL);
	http_response_header(&out, "Allow", "GET, HEAD");
	http_response_header_number(&out, "Retry-After", 5);
	http_response_content_range(&out, 0, 9, 100);
	http_response_content_range(&out, 0, -1, 100);
	assert_slice_equal(bytes_slice(&out), "Allow: GET, HEAD\r\nRetry-After: 5\r\n"
	                                      "Content-Range: bytes 0-9/100\r\n"
	                                      "Content-Range: bytes */100\r\n");
	assert_false(out.overflow);
	http_response_header(&out, "Location", "/a\r\nX: y");
	assert_true(out.overflow);
}

static void a_problem_is_json_whatever_its_detail(void **state)
{
	struct buffer out = BUFFER_NULL;

	http_problem_build(&out, 404, "no \"job\" \\ \x01\xff");
	assert_slice_equal(buffer_slice(&out),
	                   "{\"type\":\"about:blank\",\"title\":\"Not Found\",\"status\":404,"
	                   "\"detail\":\"no \\\"job\\\" \\\\ \\u0001?\"}\n");
	buffer_deinit(&out);
}

static void conditions_are_weighed(void **state)
{
	static const char date[] = "Sun, 06 Nov 1994 08:49:37 GMT";
	static const struct {
		const char *none_match, *since;
		bool is_unmodified;
	} cases[] = {
		{ "", "", false },
		{ "\"a\"", "", true },
		{ "\"b\"", date, false },
		{ "\"b\", W/\"a\"", "", true },
		{ "*", "", true },
		{ "a", "", false },
		{ "\"a", "", false },
		{ "", date, true },
		{ "", "Sun, 06 Nov 1994 08:49:36 GMT", false },
		{ "", "yesterday", false },
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct http_conditions c = {
			.if_none_match = slice_from_text(cases[i].none_match),
			.if_modified_since = slice_from_text(cases[i].since),
		};

		assert_int_equal(http_condition_is_unmodified(&c, "\"a\"", 784111777, 1800000000),
		                 cases[i].is_unmodified);
	}
}

static void if_range_takes_only_the_very_same(void **state)
{
	static const struct {
		const char *if_range;
		bool counts;
	} cases[] = {
		{ "", true },
		{ "\"a\"", true },
		{ "\"b\"", false },
		{ "W/\"a\"", false },
		{ "Sun, 06 Nov 1994 08:49:37 GMT", true },
		{ "Sun, 06 Nov 1994 08:49:38 GMT", false },
		{ "x", false },
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct http_conditions c = { .if_range = slice_from_text(cases[i].if_range) };

		assert_int_equal(http_condition_range_counts(&c, "\"a\"", 784111777, 1800000000),
		                 cases[i].counts);
	}
}

static void an_etag_tells_contents_apart(void **state)
{
	char a[HTTP_ETAG_MAX], b[HTTP_ETAG_MAX];

	assert_string_equal(http_etag_format(16, 255, 1, a), "\"10-ff-1\"");
	(void)http_etag_format(UINT64_MAX, UINT64_MAX, -1, b);
	assert_string_equal(b, "\"ffffffffffffffff-ffffffffffffffff-ffffffffffffffff\"");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(heads_are_written_byte_by_byte),
		cmocka_unit_test(no_header_is_empty_and_none_smuggles_a_line),
		cmocka_unit_test(a_problem_is_json_whatever_its_detail),
		cmocka_unit_test(conditions_are_weighed),
		cmocka_unit_test(if_range_takes_only_the_very_same),
		cmocka_unit_test(an_etag_tells_contents_apart),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

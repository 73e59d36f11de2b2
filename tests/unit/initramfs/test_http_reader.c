/* SPDX-License-Identifier: MulanPSL-2.0 */
#include "tests/support/test.h"

#include "initramfs/http_reader.h"
#include "lib/base/buffer.h"
#include "lib/base/macro.h"

/* What an answer came to. */
struct outcome {
	struct http_head head;
	bool has_head;
	int last; /* the last thing that was told */
	struct buffer body;
};

/* Reads an answer in pieces of `step` bytes; `ends` closes the connection behind it. */
static struct outcome read_in_pieces(const char *text, size_t step, bool ends)
{
	struct outcome out = { .last = 0, .body = BUFFER_NULL };
	struct slice all = slice_from_text(text);
	struct http_reader reader;

	http_reader_init(&reader);
	while (all.len > 0 && out.last != HTTP_READER_DONE && out.last != HTTP_READER_BAD) {
		struct slice in = slice_take(&all, MIN(step, all.len)), piece;

		do {
			out.last = http_reader_input(&reader, &in, &piece);
			if (out.last == HTTP_READER_HEAD) {
				assert_false(out.has_head);
				out.has_head = true;
				out.head = reader.head;
			}
			if (out.last == HTTP_READER_BODY)
				buffer_append_slice(&out.body, piece);
		} while (out.last == HTTP_READER_HEAD || out.last == HTTP_READER_BODY);
	}
	if (ends && out.last == 0)
		out.last = http_reader_end(&reader);
	return out;
}

static const struct {
	const char *text, *body;
	bool ends;
	int last;
	unsigned status;
} cases[] = {
	{ "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello", "hello", false, HTTP_READER_DONE,
	  200 },
	{ "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhellorest", "hello", false, HTTP_READER_DONE,
	  200 },
	{ "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhell", "hell", true, 0, 200 },
	{ "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n", "", false, HTTP_READER_DONE, 200 },
	{ "HTTP/1.0 200 OK\r\n\r\nhello", "hello", true, HTTP_READER_DONE, 200 },
	{ "HTTP/1.0 200 OK\r\n\r\n", "", true, HTTP_READER_DONE, 200 },
	{ "HTTP/1.1 204 No Content\r\n\r\n", "", false, HTTP_READER_DONE, 204 },
	{ "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n2\r\nde\r\n0\r\n"
	  "ETag: \"late\"\r\n\r\n",
	  "abcde", false, HTTP_READER_DONE, 200 },
	{ "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n", "abc", true, 0,
	  200 },
	{ "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 404 No\r\nContent-Length: 2\r\n\r\nno", "no",
	  false, HTTP_READER_DONE, 404 },
	{ "SSH-2.0-OpenSSH\r\n", "", false, HTTP_READER_BAD, 0 },
	{ "HTTP/1.1 200 OK\r\nContent-Length: 5x\r\n\r\nhello", "", false, HTTP_READER_BAD, 0 },
	{ "HTTP/1.1 200 OK\r\nContent-Length: 99999999999999999999999\r\n\r\n", "", false,
	  HTTP_READER_BAD, 0 },
	{ "HTTP/1.1 101 Switching\r\nUpgrade: x\r\nConnection: upgrade\r\n\r\n", "", false,
	  HTTP_READER_BAD, 0 },
	{ "HTTP/1.1 200 O", "", true, 0, 0 },
};

static void an_answer_means_the_same_in_any_pieces(void **state)
{
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++)
		for (size_t step = 1; step < 200; step = step < 8 ? step + 1 : step * 4) {
			struct outcome out = read_in_pieces(cases[i].text, step, cases[i].ends);

			if (out.last != cases[i].last)
				print_message("case %zu step %zu: %d\n", i, step, out.last);
			assert_int_equal(out.last, cases[i].last);
			assert_slice_equal(buffer_slice(&out.body), cases[i].body);
			if (cases[i].status > 0) {
				assert_true(out.has_head);
				assert_int_equal(out.head.status, cases[i].status);
			}
			buffer_deinit(&out.body);
		}
}

static void headers_that_matter_are_kept(void **state)
{
	struct outcome out =
		read_in_pieces("HTTP/1.1 206 Partial\r\ncontent-range: bytes 5-9/10\r\n"
	                       "ETag:  \"abc\" \r\nLocation: /x\r\n"
	                       "X-A-Name-That-Is-Longer-Than-We-Ever-Look-At: y\r\n"
	                       "Content-Length: 5\r\n\r\nfghij",
	                       3, false);

	assert_true(out.head.has_range && out.head.has_total && out.head.has_length);
	assert_int_equal(out.head.range_first, 5);
	assert_int_equal(out.head.range_last, 9);
	assert_int_equal(out.head.range_total, 10);
	assert_int_equal(out.head.length, 5);
	assert_string_equal(out.head.etag, "\"abc\"");
	assert_string_equal(out.head.location, "/x");
	buffer_deinit(&out.body);
}

static void headers_that_are_wrong_or_useless_count_as_absent(void **state)
{
	static const char *const ranges[] = { "bytes 9-5/10",  "bytes 5-9/9",  "bytes */10",
		                              "lines 5-9/10",  "bytes 5-9",    "bytes -5-9/10",
		                              "bytes 5-9/1e3", "bytes 5-x/10", "" };

	for (size_t i = 0; i < ARRAY_SIZE(ranges); i++) {
		char text[256];
		struct outcome out;

		(void)snprintf(text, sizeof(text),
		               "HTTP/1.1 206 P\r\nContent-Range: %s\r\nETag: W/\"x\"\r\n"
		               "Transfer-Encoding: chunked\r\n\r\n",
		               ranges[i]);
		out = read_in_pieces(text, 64, false);
		assert_true(out.has_head);
		assert_false(out.head.has_range || out.head.has_total || out.head.has_length);
		assert_string_equal(out.head.etag, "");
	}
}

static void a_head_without_end_is_bad(void **state)
{
	static char text[256 << 10];
	struct outcome out;

	(void)strcpy(text, "HTTP/1.1 200 OK\r\n");
	for (size_t at = strlen(text); at < sizeof(text) - 8; at += 6)
		memcpy(text + at, "a: b\r\n", 7);
	out = read_in_pieces(text, 4096, false);
	assert_int_equal(out.last, HTTP_READER_BAD);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_answer_means_the_same_in_any_pieces),
		cmocka_unit_test(headers_that_matter_are_kept),
		cmocka_unit_test(headers_that_are_wrong_or_useless_count_as_absent),
		cmocka_unit_test(a_head_without_end_is_bad),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

/* SPDX-License-Identifier: MulanPSL-2.0 */
#include "tests/support/test.h"

#include "lib/base/macro.h"
#include "server/proto/http_chunked.h"

/* Decodes text in pieces of `step` bytes. Returns the last outcome; *ret_left: bytes behind the
 * end. */
static int decode(const char *text, size_t step, struct buffer *content, size_t *ret_left)
{
	struct slice all = slice_from_text(text), data;
	struct http_chunked chunked;
	int r = HTTP_CHUNKED_MORE;

	http_chunked_init(&chunked);
	while (all.len > 0 && (r == HTTP_CHUNKED_MORE || r == HTTP_CHUNKED_DATA)) {
		struct slice piece = slice_sub(all, 0, step);
		size_t before = piece.len;

		r = http_chunked_decode(&chunked, &piece, &data);
		if (r == HTTP_CHUNKED_DATA)
			buffer_append_slice(content, data);
		(void)slice_take(&all, before - piece.len);
	}
	if (r == HTTP_CHUNKED_DATA || r == HTTP_CHUNKED_MORE)
		r = http_chunked_decode(&chunked, &all, &data);
	*ret_left = all.len;
	return r;
}

static void content_is_the_same_in_any_pieces(void **state)
{
	static const char text[] = "5\r\nhello\r\n000A;a=\"b\"\r\n, world...\r\n0\r\n"
				   "X-Trailer: 1\r\nY: 2\r\n\r\nGET";

	for (size_t step = 1; step <= sizeof(text); step++) {
		struct buffer content = BUFFER_NULL;
		size_t left = 0;

		assert_int_equal(decode(text, step, &content, &left), HTTP_CHUNKED_END);
		assert_slice_equal(buffer_slice(&content), "hello, world...");
		assert_int_equal(left, 3);
		buffer_deinit(&content);
	}
}

static void what_was_appended_is_decoded_to_the_same(void **state)
{
	struct buffer wire = BUFFER_NULL, content = BUFFER_NULL;
	size_t left = 1;

	http_chunked_append(&wire, SLICE_LITERAL("0123456789abcdef!"));
	http_chunked_append(&wire, SLICE_NULL);
	http_chunked_append(&wire, SLICE_LITERAL("x"));
	http_chunked_append_end(&wire);
	assert_int_equal(decode((const char *)wire.data, 7, &content, &left), HTTP_CHUNKED_END);
	assert_slice_equal(buffer_slice(&content), "0123456789abcdef!x");
	assert_int_equal(left, 0);
	buffer_deinit(&wire);
	buffer_deinit(&content);
}

static void malformed_codings_are_refused(void **state)
{
	static const char *const cases[] = {
		"\r\n",
		"g\r\n",
		"-1\r\nx",
		"0x5\r\nhello",
		"5\nhello\r\n",
		"5\r\nhelloX\r",
		"5\r\nhello\nX",
		"5 5\r\n\x01",
		";\r\n",
		"0\r\nA: b\n\r\n",
		"0\r\n\rX",
		"0\n\r\n",
		"1234567812345678\r\n",
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct buffer content = BUFFER_NULL;
		size_t left = 0;
		int r = decode(cases[i], 1, &content, &left);

		if (r != HTTP_CHUNKED_BAD)
			print_error("case %zu\n", i);
		assert_int_equal(r, HTTP_CHUNKED_BAD);
		buffer_deinit(&content);
	}
}

static void endless_lines_are_refused(void **state)
{
	char text[HTTP_CHUNKED_LINE_MAX + 100];
	struct slice in = slice_make(text, sizeof(text)), data;
	struct http_chunked chunked;

	memset(text, 'x', sizeof(text));
	memcpy(text, "1;", 2);
	http_chunked_init(&chunked);
	assert_int_equal(http_chunked_decode(&chunked, &in, &data), HTTP_CHUNKED_BAD);
	memset(text, '0', sizeof(text));
	in = slice_make(text, sizeof(text));
	http_chunked_init(&chunked);
	assert_int_equal(http_chunked_decode(&chunked, &in, &data), HTTP_CHUNKED_BAD);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(content_is_the_same_in_any_pieces),
		cmocka_unit_test(what_was_appended_is_decoded_to_the_same),
		cmocka_unit_test(malformed_codings_are_refused),
		cmocka_unit_test(endless_lines_are_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

/* SPDX-License-Identifier: MulanPSL-2.0 */
#include "tests/support/test.h"

#include "lib/base/macro.h"
#include "server/proto/http_range.h"

static void one_range_is_taken_and_odd_headers_are_ignored(void **state)
{
	static const struct {
		const char *header;
		uint64_t size;
		int outcome;
		uint64_t first, len;
	} cases[] = {
		{ "", 100, HTTP_RANGE_WHOLE, 0, 100 },
		{ "bytes=0-9", 100, HTTP_RANGE_ONE, 0, 10 },
		{ "bytes=10-10", 100, HTTP_RANGE_ONE, 10, 1 },
		{ "bytes=90-", 100, HTTP_RANGE_ONE, 90, 10 },
		{ "bytes=90-1000", 100, HTTP_RANGE_ONE, 90, 10 },
		{ "bytes=90-99999999999999999999999", 100, HTTP_RANGE_ONE, 90, 10 },
		{ "bytes=-10", 100, HTTP_RANGE_ONE, 90, 10 },
		{ "bytes=-1000", 100, HTTP_RANGE_ONE, 0, 100 },
		{ "BYTES= 5-6 ", 100, HTTP_RANGE_ONE, 5, 2 },
		{ "bytes=100-", 100, HTTP_RANGE_UNSATISFIABLE, 0, 0 },
		{ "bytes=99999999999999999999999-", 100, HTTP_RANGE_UNSATISFIABLE, 0, 0 },
		{ "bytes=-0", 100, HTTP_RANGE_UNSATISFIABLE, 0, 0 },
		{ "bytes=0-", 0, HTTP_RANGE_UNSATISFIABLE, 0, 0 },
		{ "bytes=-5", 0, HTTP_RANGE_WHOLE, 0, 0 },
		{ "bytes=9-5", 100, HTTP_RANGE_WHOLE, 0, 100 },
		{ "bytes=0-1,5-6", 100, HTTP_RANGE_WHOLE, 0, 100 },
		{ "bytes=a-b", 100, HTTP_RANGE_WHOLE, 0, 100 },
		{ "bytes=-", 100, HTTP_RANGE_WHOLE, 0, 100 },
		{ "bytes=5", 100, HTTP_RANGE_WHOLE, 0, 100 },
		{ "bytes=+5-9", 100, HTTP_RANGE_WHOLE, 0, 100 },
		{ "bytes=--5", 100, HTTP_RANGE_WHOLE, 0, 100 },
		{ "bytes", 100, HTTP_RANGE_WHOLE, 0, 100 },
		{ "lines=1-2", 100, HTTP_RANGE_WHOLE, 0, 100 },
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct http_range range;

		assert_int_equal(
			http_range_parse(slice_from_text(cases[i].header), cases[i].size, &range),
			cases[i].outcome);
		assert_int_equal(range.first, cases[i].first);
		assert_int_equal(range.len, cases[i].len);
	}
}

static void a_content_range_says_what_a_put_brings(void **state)
{
	struct http_content_range range;

	assert_int_equal(http_content_range_parse(SLICE_LITERAL("bytes 0-9/100"), &range), 0);
	assert_true(range.has_range && range.has_total);
	assert_int_equal(range.first, 0);
	assert_int_equal(range.last, 9);
	assert_int_equal(range.total, 100);
	assert_int_equal(http_content_range_parse(SLICE_LITERAL("bytes 5-9/*"), &range), 0);
	assert_true(range.has_range && !range.has_total);
	assert_int_equal(range.first, 5);
	assert_int_equal(http_content_range_parse(SLICE_LITERAL("bytes */7"), &range), 0);
	assert_true(!range.has_range && range.has_total);
	assert_int_equal(range.total, 7);
}

static void a_bad_content_range_is_refused(void **state)
{
	static const char *const bad[] = {
		"",
		"bytes",
		"bytes */*",
		"bytes 5-4/10",
		"bytes 0-10/10",
		"bytes 0-9",
		"bytes 0-9/",
		"bytes 0/10",
		"bytes -9/10",
		"bytes 0-/10",
		"bytes=0-9/10",
		"lines 0-9/10",
		"bytes 0-9/99999999999999999999",
		"bytes 9223372036854775808-9223372036854775809/*",
		"bytes 0-9/10/10",
	};

	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		struct http_content_range range;

		assert_int_equal(http_content_range_parse(slice_from_text(bad[i]), &range),
		                 HTTP_CONTENT_RANGE_BAD);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(one_range_is_taken_and_odd_headers_are_ignored),
		cmocka_unit_test(a_content_range_says_what_a_put_brings),
		cmocka_unit_test(a_bad_content_range_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

/* SPDX-License-Identifier: MulanPSL-2.0 */
#include "tests/support/test.h"

#include "lib/base/macro.h"
#include "server/proto/url_query.h"

static void pairs_come_in_order_and_empty_ones_are_skipped(void **state)
{
	struct slice rest = SLICE_LITERAL("&&a=1&=&b&c=&=d&&path=/x:y=z&");
	static const char *const pairs[][2] = {
		{ "a", "1" }, { "b", "" }, { "c", "" }, { "", "d" }, { "path", "/x:y=z" },
	};
	struct slice key, value;

	for (size_t i = 0; i < ARRAY_SIZE(pairs); i++) {
		assert_true(url_query_next(&rest, &key, &value));
		assert_slice_equal(key, pairs[i][0]);
		assert_slice_equal(value, pairs[i][1]);
	}
	assert_false(url_query_next(&rest, &key, &value));
	assert_false(url_query_next(&rest, &key, &value));
}

static void decoding_never_refuses(void **state)
{
	static const struct {
		const char *raw, *plain;
	} cases[] = {
		{ "a+b%20c", "a b c" }, { "%2F%3a", "/:" }, { "100%", "100%" },
		{ "%zz%4", "%zz%4" },   { "%%41", "%A" },   { "", "" },
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		char room[32];
		struct bytes out = BYTES_ON(room);

		url_query_decode(slice_from_text(cases[i].raw), &out);
		assert_slice_equal(bytes_slice(&out), cases[i].plain);
	}
}

static void the_first_pair_with_the_key_is_found(void **state)
{
	struct slice query = SLICE_LITERAL("job%5Fid=lab1.3&x=1&x=2&nul%00=3&long=abcdefgh");
	char room[8];
	struct bytes out = BYTES_ON(room);

	assert_int_equal(url_query_find(query, "job_id", &out), 0);
	assert_slice_equal(bytes_slice(&out), "lab1.3");
	out.len = 0;
	assert_int_equal(url_query_find(query, "x", &out), 0);
	assert_slice_equal(bytes_slice(&out), "1");
	assert_int_equal(url_query_find(query, "nul", &out), URL_QUERY_ABSENT);
	assert_int_equal(url_query_find(query, "job", &out), URL_QUERY_ABSENT);
	assert_int_equal(url_query_find(query, "long", &out), URL_QUERY_TOO_LONG);
	assert_slice_equal(bytes_slice(&out), "1");
	assert_false(out.overflow);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(pairs_come_in_order_and_empty_ones_are_skipped),
		cmocka_unit_test(decoding_never_refuses),
		cmocka_unit_test(the_first_pair_with_the_key_is_found),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

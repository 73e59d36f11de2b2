/* SPDX-License-Identifier: MulanPSL-2.0 */
#include "tests/support/test.h"

#include "lib/base/macro.h"
#include "lib/format/cmdline.h"

static void words_are_cut_as_the_kernel_cuts_them(void **state)
{
	struct slice rest = SLICE_LITERAL("  ro a= b=c=d\tq=\"x y\" \"whole word=1 2\" open=\"z ");
	static const struct {
		const char *key, *value;
		bool has_value;
	} expected[] = {
		{ "ro", "", false },           { "a", "", true },
		{ "b", "c=d", true },          { "q", "x y", true },
		{ "whole word", "1 2", true }, { "open", "z ", true },
	};
	struct cmdline_word word;

	for (size_t i = 0; i < ARRAY_SIZE(expected); i++) {
		assert_true(cmdline_next(&rest, &word));
		assert_slice_equal(word.key, expected[i].key);
		assert_slice_equal(word.value, expected[i].value);
		assert_int_equal(word.has_value, expected[i].has_value);
	}
	assert_false(cmdline_next(&rest, &word));
}

static void what_is_appended_reads_back(void **state)
{
	uint8_t room[64];
	struct bytes out = BYTES_ON(room);
	struct slice value = SLICE_LITERAL("a b");
	struct slice rest;
	struct cmdline_word word;

	assert_int_equal(cmdline_append(&out, SLICE_LITERAL("ro"), NULL), 0);
	assert_int_equal(cmdline_append(&out, SLICE_LITERAL("k"), &value), 0);
	assert_slice_equal(bytes_slice(&out), "ro k=\"a b\"");
	rest = bytes_slice(&out);
	assert_true(cmdline_next(&rest, &word));
	assert_true(cmdline_next(&rest, &word));
	assert_slice_equal(word.value, "a b");
}

static void what_would_not_read_back_is_refused(void **state)
{
	static const struct {
		const char *key, *value;
	} bad[] = { { "", "x" },     { "a b", "x" },  { "a=b", "x" },
		    { "k", "x\"y" }, { "k", "x\ny" }, { "k", "\t" } };
	uint8_t room[64];
	struct bytes out = BYTES_ON(room);

	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		struct slice value = slice_from_text(bad[i].value);

		assert_int_equal(cmdline_append(&out, slice_from_text(bad[i].key), &value),
		                 CMDLINE_UNQUOTABLE);
		assert_int_equal(out.len, 0);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(words_are_cut_as_the_kernel_cuts_them),
		cmocka_unit_test(what_is_appended_reads_back),
		cmocka_unit_test(what_would_not_read_back_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

/* SPDX-License-Identifier: MulanPSL-2.0 */
#include "tests/support/test.h"

#include "lib/base/text.h"

static void numbers_fill_the_slice_or_are_none(void **state)
{
	uint64_t n = 7;

	assert_int_equal(text_parse_u64(SLICE_LITERAL("0"), 10, &n), 0);
	assert_int_equal(n, 0);
	assert_int_equal(text_parse_u64(SLICE_LITERAL("18446744073709551615"), UINT64_MAX, &n), 0);
	assert_true(n == UINT64_MAX);
	assert_int_equal(text_parse_u64(SLICE_LITERAL("18446744073709551616"), UINT64_MAX, &n), 1);
	for (const char *const *bad =
	             (const char *const[]){ "", " 1", "1 ", "+1", "-1", "0x1", "11", NULL };
	     *bad; bad++)
		assert_int_equal(text_parse_u64(slice_from_text(*bad), 10, &n), TEXT_BAD_NUMBER);
	assert_int_equal(text_parse_hex(SLICE_LITERAL("fF"), 255, &n), 0);
	assert_int_equal(n, 255);
}

static void copy_refuses_what_does_not_fit_or_hides_a_nul(void **state)
{
	char to[4];

	assert_int_equal(text_copy(to, sizeof(to), SLICE_LITERAL("abc")), 0);
	assert_string_equal(to, "abc");
	assert_int_equal(text_copy(to, sizeof(to), SLICE_LITERAL("abcd")), TEXT_TOO_LONG);
	assert_string_equal(to, "");
	assert_int_equal(text_copy(to, sizeof(to), SLICE_LITERAL("a\0b")), TEXT_TOO_LONG);
}

static void escape_leaves_no_control_byte(void **state)
{
	char to[16];

	assert_string_equal(text_escape(to, sizeof(to), SLICE_LITERAL("a\n\"\x1b")),
	                    "a\\x0a\\\"\\x1b");
	assert_string_equal(text_escape(to, 5, SLICE_LITERAL("abcdefgh")), "abcd");
	assert_string_equal(text_escape(to, 5, SLICE_LITERAL("a\n")), "a");
}

static void trim_takes_white_space_from_both_ends(void **state)
{
	assert_slice_equal(text_trim(SLICE_LITERAL(" \t a b \r\n")), "a b");
	assert_slice_equal(text_trim(SLICE_LITERAL("  ")), "");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(numbers_fill_the_slice_or_are_none),
		cmocka_unit_test(copy_refuses_what_does_not_fit_or_hides_a_nul),
		cmocka_unit_test(escape_leaves_no_control_byte),
		cmocka_unit_test(trim_takes_white_space_from_both_ends),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

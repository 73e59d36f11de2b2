/* SPDX-License-Identifier: MulanPSL-2.0 */
#include "tests/support/test.h"

#include "cli/format_text.h"

static void assert_built(struct buffer *out, const char *text)
{
	assert_slice_equal(buffer_slice(out), text);
	buffer_deinit(out);
}

static void no_control_character_passes(void **state)
{
	struct buffer out = BUFFER_NULL;

	format_clean(&out, "a\x1b[31mb\nc\td\x7f"
	                   "e");
	assert_built(&out, "a?[31mb?c?d?e");
	format_clean(&out, "\xc2\x9b"
	                   "x \xc3\xa4 \xe4\xb8\xad \xf0\x9f\x98\x80");
	assert_built(&out, "?x \xc3\xa4 \xe4\xb8\xad \xf0\x9f\x98\x80");
	format_clean(&out, "\xe4\xb8"
	                   "a\xff");
	assert_built(&out, "??a?");
}

static void text_is_cut_between_characters(void **state)
{
	struct buffer out = BUFFER_NULL;

	assert_int_equal(format_width("\xc3\xa4\xc3\xa4\xc3\xa4"), 3);
	assert_int_equal(format_cut(&out, "\xc3\xa4\xc3\xa4\xc3\xa4", 2), 2);
	assert_built(&out, "\xc3\xa4~");
	assert_int_equal(format_cut(&out, "abc", 3), 3);
	assert_built(&out, "abc");
	assert_int_equal(format_cut(&out, "abc", 1), 1);
	assert_built(&out, "~");
	assert_int_equal(format_cut(&out, "abc", 0), 0);
	assert_built(&out, "");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(no_control_character_passes),
		cmocka_unit_test(text_is_cut_between_characters),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

/* SPDX-License-Identifier: MulanPSL-2.0 */
#include "tests/support/test.h"

#include "cli/shell_quote.h"
#include "lib/base/macro.h"

static void words_become_what_a_shell_reads_back(void **state)
{
	static const struct {
		const char *words[4];
		const char *text;
	} cases[] = {
		{ { "uname", "-a" }, "uname -a" },
		{ { "ls", "/my dir", "" }, "ls '/my dir' ''" },
		{ { "echo", "it's", "$HOME" }, "echo 'it'\\''s' '$HOME'" },
		{ { "A=1", "B=2" }, "'A=1' B=2" },
		{ { "x", "a\nb", "*", "~" }, "x 'a\nb' '*' '~'" },
		{ { "dmesg | wc -l" }, "dmesg | wc -l" },
		{ { "" }, "" },
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct buffer out = BUFFER_NULL;
		size_t n = 0;

		while (n < ARRAY_SIZE(cases[i].words) && cases[i].words[n])
			n++;
		shell_quote_command(&out, cases[i].words, n);
		assert_slice_equal(buffer_slice(&out), cases[i].text);
		buffer_deinit(&out);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(words_become_what_a_shell_reads_back),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

/* SPDX-License-Identifier: MulanPSL-2.0 */
#include "tests/support/test.h"

#include "lib/base/macro.h"
#include "lib/format/duration.h"

static void numbers_with_units_become_microseconds(void **state)
{
	static const struct {
		const char *text;
		usec_t usec;
		const char *written;
	} cases[] = {
		{ "45s", 45 * USEC_PER_SEC, "45s" },
		{ "45", 45 * USEC_PER_SEC, "45s" },
		{ "120s", 120 * USEC_PER_SEC, "2m" },
		{ "1440h", 1440 * 60 * USEC_PER_MINUTE, "1440h" },
		{ "2d", 48 * 60 * USEC_PER_MINUTE, "48h" },
		{ "1w", 168 * 60 * USEC_PER_MINUTE, "168h" },
		{ "250ms", 250 * USEC_PER_MSEC, "250ms" },
		{ "1500us", 1500, "1500us" },
		{ "0s", 0, "0s" },
		{ "18446744073709551614us", USEC_INFINITY - 1, "18446744073709551614us" },
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		char text[DURATION_TEXT_MAX];
		usec_t usec = 1;

		assert_int_equal(duration_parse(slice_from_text(cases[i].text), &usec), 0);
		assert_int_equal(usec, cases[i].usec);
		assert_string_equal(duration_format(usec, text), cases[i].written);
	}
}

static void what_is_no_duration_is_refused(void **state)
{
	static const char *const cases[] = {
		"",
		"s",
		"-1s",
		"1 s",
		"1x",
		"1.5h",
		"1h30m",
		" 1s",
		"1s ",
		"18446744073709551615us",
		"18446744073709551616",
		"9999999999999999w",
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		usec_t usec = 77;

		assert_int_equal(duration_parse(slice_from_text(cases[i]), &usec), DURATION_BAD);
		assert_int_equal(usec, 77);
	}
}

static void infinity_has_a_word(void **state)
{
	char text[DURATION_TEXT_MAX];

	assert_string_equal(duration_format(USEC_INFINITY, text), "infinity");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(numbers_with_units_become_microseconds),
		cmocka_unit_test(what_is_no_duration_is_refused),
		cmocka_unit_test(infinity_has_a_word),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

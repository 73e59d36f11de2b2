/* SPDX-License-Identifier: MulanPSL-2.0 */
#include "tests/support/test.h"

#include "lib/base/macro.h"
#include "server/proto/http_date.h"

static void known_dates_are_written(void **state)
{
	static const struct {
		int64_t seconds;
		const char *text;
	} cases[] = {
		{ 0, "Thu, 01 Jan 1970 00:00:00 GMT" },
		{ 784111777, "Sun, 06 Nov 1994 08:49:37 GMT" },
		{ 951782400, "Tue, 29 Feb 2000 00:00:00 GMT" },
		{ 1709164799, "Wed, 28 Feb 2024 23:59:59 GMT" },
		{ 4107542400, "Mon, 01 Mar 2100 00:00:00 GMT" },
		{ 253402300799, "Fri, 31 Dec 9999 23:59:59 GMT" },
		{ INT64_MAX, "Fri, 31 Dec 9999 23:59:59 GMT" },
		{ -1, "Thu, 01 Jan 1970 00:00:00 GMT" },
	};
	char text[HTTP_DATE_MAX];

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++)
		assert_string_equal(http_date_format(cases[i].seconds, text), cases[i].text);
}

static void every_day_is_read_back(void **state)
{
	char text[HTTP_DATE_MAX];
	int64_t seconds = -1;

	for (int64_t day = 0; day < 50000; day++) {
		int64_t want = day * 86400 + day % 86400;

		(void)http_date_format(want, text);
		assert_int_equal(http_date_parse(slice_from_text(text), 0, &seconds), 0);
		assert_int_equal(seconds, want);
	}
}

static void the_old_forms_are_read(void **state)
{
	static const struct {
		const char *text;
		int64_t now, seconds;
	} cases[] = {
		{ "Sunday, 06-Nov-94 08:49:37 GMT", 1800000000, 784111777 },
		{ "Sun Nov  6 08:49:37 1994", 1800000000, 784111777 },
		{ "Wed Nov 16 08:49:37 1994", 0, 784975777 },
		{ "Saturday, 06-Nov-27 08:49:37 GMT", 1800000000, 1825490977 },
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		int64_t seconds = -1;

		assert_int_equal(
			http_date_parse(slice_from_text(cases[i].text), cases[i].now, &seconds), 0);
		assert_int_equal(seconds, cases[i].seconds);
	}
}

static void other_texts_are_no_dates(void **state)
{
	static const char *const cases[] = {
		"",
		"0",
		"Sun,",
		"Sun, 06 Nov 1994 08:49:37",
		"Sun, 06 Nov 1994 08:49:37 CET",
		"Sun, 31 Feb 1994 08:49:37 GMT",
		"Sun, 00 Nov 1994 08:49:37 GMT",
		"Sun, 06 nov 1994 08:49:37 GMT",
		"Sun, 06 Nov 1994 24:49:37 GMT",
		"Sun, 06 Nov 1994 08:49:37 GMTx",
		"Sun, 6 Nov 1994 08:49:37 GMT",
		"Sun Nov 6 08:49:37 1994",
		"Sun, 06 Nov 1894 08:49:37 GMT",
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		int64_t seconds;

		assert_int_equal(http_date_parse(slice_from_text(cases[i]), 0, &seconds),
		                 HTTP_DATE_BAD);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(known_dates_are_written),
		cmocka_unit_test(every_day_is_read_back),
		cmocka_unit_test(the_old_forms_are_read),
		cmocka_unit_test(other_texts_are_no_dates),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

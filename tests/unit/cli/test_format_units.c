/* SPDX-License-Identifier: MulanPSL-2.0 */
#include "tests/support/test.h"

#include "cli/format_units.h"
#include "lib/base/macro.h"

static void assert_built(struct buffer *out, const char *text)
{
	assert_slice_equal(buffer_slice(out), text);
	buffer_deinit(out);
}

static void durations_have_two_numbers_at_most(void **state)
{
	static const struct {
		usec_t duration;
		const char *text;
	} cases[] = {
		{ 0, "0.00s" },
		{ 420000, "0.42s" },
		{ 994999, "0.99s" },
		{ 995000, "1.0s" },
		{ 4249999, "4.2s" },
		{ 9949999, "9.9s" },
		{ 9960000, "10s" },
		{ 59 * USEC_PER_SEC, "59s" },
		{ 59600000, "1m00s" },
		{ 192 * USEC_PER_SEC, "3m12s" },
		{ 3599 * USEC_PER_SEC, "59m59s" },
		{ 7500 * USEC_PER_SEC, "2h05m" },
		{ 86400 * USEC_PER_SEC, "1d0h" },
		{ 273600 * USEC_PER_SEC, "3d4h" },
	};
	struct buffer out = BUFFER_NULL;

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		format_duration(&out, cases[i].duration);
		assert_built(&out, cases[i].text);
	}
}

static void sizes_have_three_figures_at_most(void **state)
{
	static const struct {
		uint64_t bytes;
		const char *text;
	} cases[] = {
		{ 0, "0 B" },         { 999, "999 B" },      { 1000, "1.0 kB" },
		{ 9949, "9.9 kB" },   { 9951, "10 kB" },     { 999499, "999 kB" },
		{ 999500, "1.0 MB" }, { 52428800, "52 MB" }, { UINT64_MAX, "18 EB" },
	};
	struct buffer out = BUFFER_NULL;

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		format_size(&out, cases[i].bytes);
		assert_built(&out, cases[i].text);
	}
}

static void rates_are_megabytes_a_second(void **state)
{
	struct buffer out = BUFFER_NULL;

	format_rate(&out, 50000000, 500 * USEC_PER_MSEC);
	assert_built(&out, "100.0 MB/s");
	format_rate(&out, 2000, 50 * USEC_PER_MSEC);
	assert_built(&out, "0.04 MB/s");
	format_rate(&out, 100, 0);
	assert_built(&out, "-");
}

static void times_of_rfc_3339_are_read(void **state)
{
	static const struct {
		const char *text;
		usec_t wall;
	} cases[] = {
		{ "1970-01-01T00:00:00Z", 0 },
		{ "1985-04-12T23:20:50.52Z", UINT64_C(482196050520000) },
		{ "1996-12-19T16:39:57-08:00", UINT64_C(851042397000000) },
		{ "2000-02-29T00:00:00Z", UINT64_C(951782400000000) },
		{ "2100-03-01t00:00:00z", UINT64_C(4107542400000000) },
		{ "2024-05-06 07:08:09.1234567+02:00", UINT64_C(1714972089123456) },
		{ "1990-12-31T23:59:60Z", UINT64_C(662688000000000) },
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		usec_t wall = 1;

		assert_int_equal(format_parse_time(slice_from_text(cases[i].text), &wall), 0);
		assert_int_equal(wall, cases[i].wall);
	}
}

static void anything_else_is_no_time(void **state)
{
	static const char *const cases[] = {
		"",
		"2024",
		"2024-05-06",
		"2024-05-06T07:08:09",
		"2024-13-06T07:08:09Z",
		"2024-00-06T07:08:09Z",
		"2024-05-06T24:08:09Z",
		"2024-05-06T07:08:09.Z",
		"2024-05-06T07:08:09Zx",
		"2024-05-06T07:08:09+0200",
		"1969-12-31T23:59:59Z",
		"1970-01-01T00:00:00+01:00",
		"2024-05-06x07:08:09Z",
		" 2024-05-06T07:08:09Z",
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		usec_t wall = 7;

		assert_int_equal(format_parse_time(slice_from_text(cases[i]), &wall),
		                 FORMAT_BAD_TIME);
		assert_int_equal(wall, 7);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(durations_have_two_numbers_at_most),
		cmocka_unit_test(sizes_have_three_figures_at_most),
		cmocka_unit_test(rates_are_megabytes_a_second),
		cmocka_unit_test(times_of_rfc_3339_are_read),
		cmocka_unit_test(anything_else_is_no_time),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

/* SPDX-License-Identifier: MulanPSL-2.0 */
#include "tests/support/test.h"

#include "lib/base/macro.h"
#include "lib/base/nearest.h"

static void a_slip_finds_the_name_that_was_meant(void **state)
{
	static const char *const names[] = { "listen", "state", NULL, "results", "dhcp", "lab" };
	static const struct {
		const char *word, *meant;
	} cases[] = {
		{ "listne", "listen" },
		{ "lisen", "listen" },
		{ "listenn", "listen" },
		{ "States", "state" },
		{ "result", "results" },
		{ "dchp", "dhcp" },
		{ "labs", "lab" },
		{ "LAB", "lab" },
		{ "xyz", NULL },
		{ "", NULL },
		{ "dns", NULL },
		{ "stores", NULL },
		{ "abcdefghijklmnopqrstuvwxyzabcdefghijklmnop", NULL },
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		const char *found =
			nearest_name(names, ARRAY_SIZE(names), slice_from_text(cases[i].word));

		if (!cases[i].meant) {
			assert_null(found);
			continue;
		}
		assert_non_null(found);
		assert_string_equal(found, cases[i].meant);
	}
}

static void of_two_near_names_the_nearer_one_wins(void **state)
{
	static const char *const names[] = { "uploads", "upload" };

	assert_string_equal(nearest_name(names, 2, SLICE_LITERAL("uplaod")), "upload");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_slip_finds_the_name_that_was_meant),
		cmocka_unit_test(of_two_near_names_the_nearer_one_wins),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

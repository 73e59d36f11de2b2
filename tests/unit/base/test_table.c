/* SPDX-License-Identifier: MulanPSL-2.0 */
#include "tests/support/test.h"

#include "lib/base/macro.h"
#include "lib/base/table.h"

static const char *const names[] = { [0] = "red", [2] = "green" };

static void a_value_has_a_name_or_none(void **state)
{
	assert_string_equal(table_name(names, ARRAY_SIZE(names), 2), "green");
	assert_null(table_name(names, ARRAY_SIZE(names), 1));
	assert_null(table_name(names, ARRAY_SIZE(names), 3));
	assert_null(table_name(names, ARRAY_SIZE(names), -1));
}

static void a_name_has_a_value_or_none(void **state)
{
	assert_int_equal(table_value(names, ARRAY_SIZE(names), SLICE_LITERAL("green")), 2);
	assert_int_equal(table_value(names, ARRAY_SIZE(names), SLICE_LITERAL("Green")), -1);
	assert_int_equal(table_value_nocase(names, ARRAY_SIZE(names), SLICE_LITERAL("GREEN")), 2);
	assert_int_equal(table_value(names, ARRAY_SIZE(names), SLICE_LITERAL("")), -1);
	assert_int_equal(table_value_nocase(names, ARRAY_SIZE(names), SLICE_LITERAL("gree")), -1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_value_has_a_name_or_none),
		cmocka_unit_test(a_name_has_a_value_or_none),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

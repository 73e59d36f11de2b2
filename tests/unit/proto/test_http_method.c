/* SPDX-License-Identifier: MulanPSL-2.0 */
#include "tests/support/test.h"

#include "server/proto/http_method.h"

static void every_method_reads_back_from_its_name(void **state)
{
	for (int m = 0; m < _HTTP_METHOD_MAX; m++)
		assert_int_equal(http_method_from_name(slice_from_text(http_method_to_name(m))), m);
	assert_string_equal(http_method_to_name(HTTP_METHOD_MKCOL), "MKCOL");
}

static void methods_are_told_by_case_and_whole(void **state)
{
	assert_int_equal(http_method_from_name(SLICE_LITERAL("get")), -1);
	assert_int_equal(http_method_from_name(SLICE_LITERAL("GETS")), -1);
	assert_int_equal(http_method_from_name(SLICE_LITERAL("")), -1);
	assert_int_equal(http_method_from_name(SLICE_LITERAL("BREW")), -1);
	assert_string_equal(http_method_to_name(_HTTP_METHOD_MAX), "?");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_method_reads_back_from_its_name),
		cmocka_unit_test(methods_are_told_by_case_and_whole),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

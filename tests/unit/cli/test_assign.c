/* SPDX-License-Identifier: MulanPSL-2.0 */
#include "tests/support/test.h"

#include "cli/assign.h"
#include "lib/base/macro.h"

static void values_are_typed_as_yaml_types_them(void **state)
{
	static const struct {
		const char *assignment, *expected;
	} cases[] = {
		{ "runtime=60", "{\"runtime\":60}" },
		{ "n=-5", "{\"n\":-5}" },
		{ "os_version=20.10", "{\"os_version\":\"20.10\"}" },
		{ "strict=true", "{\"strict\":true}" },
		{ "a=x=y", "{\"a\":\"x=y\"}" },
		{ "a=k: v", "{\"a\":\"k: v\"}" },
		{ "a=60 #c", "{\"a\":\"60 #c\"}" },
		{ "a=null", "{\"a\":\"null\"}" },
		{ "a=*x", "{\"a\":\"*x\"}" },
		{ "a=#x", "{\"a\":\"#x\"}" },
		{ "a=-", "{\"a\":\"-\"}" },
		{ "a=\"60\"", "{\"a\":\"60\"}" },
		{ "a=[1, b]", "{\"a\":[1,\"b\"]}" },
		{ "a={b: 1}", "{\"a\":{\"b\":1}}" },
		{ "pp.sleep.runtime=5", "{\"pp\":{\"sleep\":{\"runtime\":5}}}" },
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		CLEANUP(json_decrefp) json_t *job = json_object();
		CLEANUP(freep) char *text = NULL;
		char error[ASSIGN_ERROR_MAX] = "";

		assert_int_equal(assign_apply(job, cases[i].assignment, error), 0);
		text = json_dumps(job, JSON_COMPACT);
		assert_string_equal(text, cases[i].expected);
	}
}

static void what_is_there_is_replaced_or_taken_away(void **state)
{
	CLEANUP(json_decrefp)
	json_t *job = json_loads("{\"a\":1,\"pp\":{\"x\":1,\"y\":2},\"n\":null}", 0, NULL);
	CLEANUP(freep) char *text = NULL;
	char error[ASSIGN_ERROR_MAX];

	assert_int_equal(assign_apply(job, "a=b", error), 0);
	assert_int_equal(assign_apply(job, "pp.x=", error), 0);
	assert_int_equal(assign_apply(job, "none=", error), 0);
	assert_int_equal(assign_apply(job, "n.m=1", error), 0);
	text = json_dumps(job, JSON_COMPACT);
	assert_string_equal(text, "{\"a\":\"b\",\"pp\":{\"y\":2},\"n\":{\"m\":1}}");
}

static void mistakes_name_the_assignment(void **state)
{
	static const struct {
		const char *assignment, *says;
	} cases[] = {
		{ "runtime", "expected KEY=VALUE" },
		{ "=1", "expected KEY=VALUE" },
		{ "", "expected KEY=VALUE" },
		{ "a..b=1", "a part of the key is empty" },
		{ ".a=1", "a part of the key is empty" },
		{ "a.=1", "a part of the key is empty" },
		{ "t.b=1", "the key leads through no mapping" },
		{ "b=[1", "b=[1: " },
		{ "b=\xff", "not UTF-8" },
		{ "\xff=1", "not UTF-8" },
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		CLEANUP(json_decrefp) json_t *job = json_loads("{\"t\":\"text\"}", 0, NULL);
		char error[ASSIGN_ERROR_MAX] = "";

		assert_int_equal(assign_apply(job, cases[i].assignment, error), ASSIGN_BAD);
		assert_non_null(strstr(error, cases[i].says));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(values_are_typed_as_yaml_types_them),
		cmocka_unit_test(what_is_there_is_replaced_or_taken_away),
		cmocka_unit_test(mistakes_name_the_assignment),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

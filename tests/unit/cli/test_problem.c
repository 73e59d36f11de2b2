/* SPDX-License-Identifier: MulanPSL-2.0 */
#include "tests/support/test.h"

#include "cli/problem.h"
#include "lib/base/macro.h"

static void refusals_are_one_line_with_the_field(void **state)
{
	static const struct {
		long status;
		const char *body, *text, *field;
	} cases[] = {
		{ 400,
		  "{\"type\":\"about:blank\",\"title\":\"Bad job\",\"detail\":\"expected a "
		  "number\",\"field\":\"runtime\"}",
		  "runtime: expected a number (HTTP 400)", "runtime" },
		{ 400,
		  "{\"title\":\"Bad job\",\"errors\":[{\"field\":\"suite\",\"detail\":\"missing\"},"
		  "{\"field\":\"os\",\"detail\":\"unknown\"}]}",
		  "Bad job (HTTP 400)\n  suite: missing\n  os: unknown", "suite" },
		{ 400, "{\"detail\":\"job.os: is missing\",\"field\":\"os\"}",
		  "os: is missing (HTTP 400)", "os" },
		{ 400, "{\"detail\":\"job.os_mount: odd\",\"field\":\"os\"}",
		  "os: job.os_mount: odd (HTTP 400)", "os" },
		{ 404, "", "there is no such thing (HTTP 404)", "" },
		{ 404, "no job lab1.9\nmore", "no job lab1.9 (HTTP 404)", "" },
		{ 502, "<html>bad gateway</html>", "the server failed (HTTP 502)", "" },
		{ 418, "[1]", "[1] (HTTP 418)", "" },
		{ 409, "{\"detail\":\"it\\u001b[2J ended\"}", "it?[2J ended (HTTP 409)", "" },
		{ 400, "{}", "the request is wrong (HTTP 400)", "" },
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct slice body = slice_from_text(cases[i].body);
		CLEANUP(json_decrefp) json_t *problem = problem_parse(body);
		struct buffer out = BUFFER_NULL;

		problem_describe(&out, cases[i].status, problem, body);
		assert_slice_equal(buffer_slice(&out), cases[i].text);
		assert_string_equal(problem_field(problem), cases[i].field);
		buffer_deinit(&out);
	}
}

static void advice_is_given_where_there_is_some(void **state)
{
	assert_non_null(strstr(problem_advice(401), "CCI_TOKEN"));
	assert_null(problem_advice(404));
	assert_null(problem_advice(299));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(refusals_are_one_line_with_the_field),
		cmocka_unit_test(advice_is_given_where_there_is_some),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

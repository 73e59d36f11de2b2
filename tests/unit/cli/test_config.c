/* SPDX-License-Identifier: MulanPSL-2.0 */
#include "tests/support/test.h"

#include "cli/config.h"
#include "lib/base/macro.h"

static void a_file_gives_server_token_and_defaults(void **state)
{
	CLEANUP(config_deinit) struct config config = CONFIG_NULL;
	char error[CONFIG_ERROR_MAX];

	assert_int_equal(config_read(SLICE_LITERAL("# mine\nserver: lab/\ntoken: t\n"
	                                           "defaults: {testbox: vm}\n"),
	                             "f", &config, error),
	                 0);
	assert_string_equal(config.server, "http://lab:3000");
	assert_string_equal(config.token, "t");
	assert_string_equal(json_string_value(json_object_get(config.defaults, "testbox")), "vm");
}

static void a_file_without_content_is_no_mistake(void **state)
{
	static const char *const cases[] = { "", "\n \n", "# one\n  # two\n", "~\n" };
	CLEANUP(config_deinit) struct config config = CONFIG_NULL;
	char error[CONFIG_ERROR_MAX];

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++)
		assert_int_equal(config_read(slice_from_text(cases[i]), "f", &config, error), 0);
	assert_int_equal(config.server[0], 0);
}

static void mistakes_are_named_with_file_line_and_column(void **state)
{
	static const struct {
		const char *text, *says;
	} cases[] = {
		{ "token: a\nfoo: 1\n", "f:2:1: foo: no such key" },
		{ "server: ftp://x\n", "f:1:1: server: expected a URL" },
		{ "server: 5\n", "f:1:1: server: expected a URL" },
		{ "token: 5\n", "f:1:1: token: expected a text" },
		{ "token: \"a\\nb\"\n", "f:1:1: token: expected a text of one line" },
		{ "defaults: [a]\n", "f:1:1: defaults: expected keys" },
		{ "a: 1\na: 2\n", "f:2:1: this key stands here twice" },
		{ "- a\n", "expected `server: URL`" },
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		CLEANUP(config_deinit) struct config config = CONFIG_NULL;
		char error[CONFIG_ERROR_MAX] = "";

		assert_int_equal(config_read(slice_from_text(cases[i].text), "f", &config, error),
		                 CONFIG_BAD);
		assert_non_null(strstr(error, cases[i].says));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_file_gives_server_token_and_defaults),
		cmocka_unit_test(a_file_without_content_is_no_mistake),
		cmocka_unit_test(mistakes_are_named_with_file_line_and_column),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

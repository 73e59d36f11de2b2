/* SPDX-License-Identifier: MulanPSL-2.0 */
#include "tests/support/test.h"

#include "cli/args.h"
#include "lib/base/macro.h"

static const struct option_spec own[] = {
	{ 'f', "follow", NULL, "follow" },
	{ 'H', "host", "HOST", "host" },
	{ 0, "set", "KEY=VALUE", "set" },
};
static const struct option_spec common[] = {
	{ 'h', "help", NULL, "help" },
	{ 0, "server", "URL", "server" },
};

static int parse(const char *line, bool is_verbatim, struct args *args, char *error)
{
	static char copy[200];
	static const char *argv[20];
	const struct args_syntax syntax = { .own = { own, ARRAY_SIZE(own) },
		                            .common = { common, ARRAY_SIZE(common) },
		                            .is_verbatim = is_verbatim };
	size_t n = 0;
	char *save = NULL;

	(void)snprintf(copy, sizeof(copy), "%s", line);
	for (char *p = strtok_r(copy, " ", &save); p; p = strtok_r(NULL, " ", &save))
		argv[n++] = p;
	return args_parse(&syntax, n, argv, args, error);
}

static void options_and_words_mix(void **state)
{
	CLEANUP(args_deinit) struct args args = { .given = NULL };
	char error[ARGS_ERROR_MAX];

	assert_int_equal(parse("a -fH one --server=u b - --set x=1 --set=y=2", false, &args, error),
	                 0);
	assert_true(args_has(&args, "follow"));
	assert_false(args_has(&args, "help"));
	assert_string_equal(args_value(&args, "host"), "one");
	assert_string_equal(args_value(&args, "server"), "u");
	assert_int_equal(args.n_words, 3);
	assert_string_equal(args.words[1], "b");
	assert_string_equal(args.words[2], "-");
	assert_int_equal(args.n_given, 5);
	assert_string_equal(args.given[3].value, "x=1");
	assert_string_equal(args.given[4].value, "y=2");
}

static void two_dashes_and_verbatim_words_end_the_options(void **state)
{
	CLEANUP(args_deinit) struct args first = { .given = NULL }, second = { .given = NULL };
	char error[ARGS_ERROR_MAX];

	assert_int_equal(parse("-H h -- ls -f --none", true, &first, error), 0);
	assert_int_equal(first.n_words, 3);
	assert_string_equal(first.words[1], "-f");
	assert_int_equal(parse("-f ls --help -x", true, &second, error), 0);
	assert_int_equal(second.n_words, 3);
	assert_false(args_has(&second, "help"));
}

static void mistakes_name_the_option(void **state)
{
	static const struct {
		const char *line, *says;
	} cases[] = {
		{ "--fellow", "there is no option --fellow" },
		{ "-x", "there is no option -x" },
		{ "-fx", "there is no option -x" },
		{ "--follow=1", "--follow takes no value" },
		{ "--host", "--host needs a value" },
		{ "-fH", "-H needs a value" },
		{ "--=1", "there is no option --" },
		{ "--hos x", "there is no option --hos" },
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct args args;
		char error[ARGS_ERROR_MAX];

		assert_int_equal(parse(cases[i].line, false, &args, error), ARGS_BAD);
		assert_string_equal(error, cases[i].says);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(options_and_words_mix),
		cmocka_unit_test(two_dashes_and_verbatim_words_end_the_options),
		cmocka_unit_test(mistakes_name_the_option),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

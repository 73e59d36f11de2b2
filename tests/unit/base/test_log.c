/* SPDX-License-Identifier: MulanPSL-2.0 */
#include "tests/support/test.h"

#include "lib/base/log.h"

static enum log_level last_level;
static char last_line[4096];
static unsigned n_lines;

static void remember(enum log_level level, const char *line)
{
	last_level = level;
	(void)snprintf(last_line, sizeof(last_line), "%s", line);
	n_lines++;
}

static int start(void **state)
{
	n_lines = 0;
	log_set_sink(remember, LOG_LEVEL_INFO);
	return 0;
}

static int stop(void **state)
{
	log_set_sink(NULL, LOG_LEVEL_INFO);
	return 0;
}

static void line_reaches_the_sink_with_its_level(void **state)
{
	log_warning("no lease left subnet=%s", "10.0.0.0/24");
	assert_int_equal(n_lines, 1);
	assert_int_equal(last_level, LOG_LEVEL_WARNING);
	assert_string_equal(last_line, "no lease left subnet=10.0.0.0/24");
}

static void lines_above_the_limit_go_nowhere(void **state)
{
	log_debug("packet");
	assert_int_equal(n_lines, 0);
	assert_false(log_wants(LOG_LEVEL_DEBUG));
	log_set_sink(remember, LOG_LEVEL_DEBUG);
	log_debug("packet");
	assert_int_equal(n_lines, 1);
}

static void without_a_sink_nothing_is_wanted(void **state)
{
	log_set_sink(NULL, LOG_LEVEL_DEBUG);
	assert_false(log_wants(LOG_LEVEL_ERROR));
	log_error("unheard");
	assert_int_equal(n_lines, 0);
}

static void long_line_is_cut(void **state)
{
	char text[3000];

	memset(text, 'x', sizeof(text) - 1);
	text[sizeof(text) - 1] = '\0';
	log_info("%s", text);
	assert_int_equal(strlen(last_line), 2047);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(line_reaches_the_sink_with_its_level, start, stop),
		cmocka_unit_test_setup_teardown(lines_above_the_limit_go_nowhere, start, stop),
		cmocka_unit_test_setup_teardown(without_a_sink_nothing_is_wanted, start, stop),
		cmocka_unit_test_setup_teardown(long_line_is_cut, start, stop),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

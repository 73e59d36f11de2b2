/* SPDX-License-Identifier: MulanPSL-2.0 */
#include "tests/support/alloc_fail.h"
#include "tests/support/test.h"

#include "lib/base/macro.h"
#include "server/config.h"

static const char file[] =
	"listen: {interfaces: [br0], api: [1], files: [2, 3], upload: [4]}\n"
	"files: {/os: /srv/os, /x: /srv/x}\n"
	"dhcp:\n"
	"  subnets:\n"
	"    - {net: 10.0.0.0/24, range: 10.0.0.1-10.0.0.9, dns: [1.1.1.1], lease: 1h}\n"
	"boot: {server: 10.0.0.1, loaders: {0: a, 7: b}, hold: 45s}\n"
	"api: {open_to: [127.0.0.0/8, ::1]}\n";

static int parse(const void *arg)
{
	struct config config;
	struct config_error error;

	return config_parse("f", slice_from_text(arg), &config, &error);
}

static void every_failure_while_reading_is_told(void **state)
{
	static const char wrong[] = "listen: {wrokers: 2}", bad[] = "a: [";

	assert_true(alloc_fail_each(parse, file) > 20);
	assert_true(alloc_fail_each(parse, wrong) > 5);
	assert_true(alloc_fail_each(parse, bad) > 5);
}

static int print(const void *arg)
{
	struct buffer out = BUFFER_NULL;
	int r;

	r = config_print(arg, &out);
	buffer_deinit(&out);
	return r;
}

static void every_failure_while_printing_is_told(void **state)
{
	struct config config;
	struct config_error error;

	assert_int_equal(config_parse("f", slice_from_text(file), &config, &error), 0);
	assert_true(alloc_fail_each(print, &config) > 20);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_failure_while_reading_is_told),
		cmocka_unit_test(every_failure_while_printing_is_told),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

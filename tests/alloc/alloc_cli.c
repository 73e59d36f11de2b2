/* SPDX-License-Identifier: MulanPSL-2.0 */
#include "tests/support/alloc_fail.h"
#include "tests/support/test.h"

#include "cli/args.h"
#include "cli/assign.h"
#include "cli/config.h"
#include "cli/format_job.h"
#include "cli/format_timeline.h"
#include "cli/sse.h"
#include "lib/base/macro.h"

static int read_config(const void *arg)
{
	struct config config = CONFIG_NULL;
	char error[CONFIG_ERROR_MAX];
	int r = config_read(SLICE_LITERAL("server: lab\ntoken: t\ndefaults: {a: 1}\n"), "f",
	                    &config, error);

	config_deinit(&config);
	return r;
}

static int read_args(const void *arg)
{
	static const struct option_spec specs[] = { { 'a', "all", NULL, "" } };
	static const char *const words[] = { "-a", "x", "--all" };
	const struct args_syntax syntax = { .own = { specs, 1 } };
	struct args args = { .given = NULL };
	char error[ARGS_ERROR_MAX];
	int r = args_parse(&syntax, ARRAY_SIZE(words), words, &args, error);

	args_deinit(&args);
	return r;
}

static int show_jobs(const void *jobs)
{
	struct format_table table;
	struct buffer out = BUFFER_NULL;
	int r;

	format_jobs(&table, jobs, 0);
	r = format_table_write(&table, &out, 80, true);
	format_table_deinit(&table);
	buffer_deinit(&out);
	return r;
}

/* An event that cannot be kept ends the stream: it is asked for again. */
static int read_events(const void *arg)
{
	struct slice stream = SLICE_LITERAL("id: 1\ndata: a\n\n");
	struct sse_event event;
	struct sse sse;
	int q;

	sse_init(&sse);
	q = sse_next(&sse, &stream, &event);
	sse_deinit(&sse);
	return q == SSE_TOO_LONG ? -ENOMEM : q;
}

static void every_failure_is_told(void **state)
{
	json_t *jobs = json_loads("[{\"id\":\"lab1.1\",\"state\":\"queued\"}]", 0, NULL);

	assert_true(alloc_fail_each(read_config, NULL) > 5);
	assert_true(alloc_fail_each(read_args, NULL) == 2);
	assert_true(alloc_fail_each(read_events, NULL) > 1);
	assert_true(alloc_fail_each(show_jobs, jobs) > 5);
	json_decref(jobs);
}

static int assign(const void *arg)
{
	json_t *job = json_object();
	char error[ASSIGN_ERROR_MAX];
	int r = job ? assign_apply(job, arg, error) : -ENOMEM;

	json_decref(job);
	return r;
}

static void a_value_that_finds_no_memory_is_not_set(void **state)
{
	assert_true(alloc_fail_each(assign, "a.b.c=text") > 5);
	assert_true(alloc_fail_each(assign, "a=[1, {b: c}]") > 5);
	assert_true(alloc_fail_each(assign, "a=5") > 3);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_failure_is_told),
		cmocka_unit_test(a_value_that_finds_no_memory_is_not_set),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

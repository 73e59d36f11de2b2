/* SPDX-License-Identifier: MulanPSL-2.0 */
#include "server/core/deadlines.h"

#include "lib/base/macro.h"
#include "server/core/compass_state.h"
#include "tests/support/test.h"

#define SEC USEC_PER_SEC

static void the_table_is_compass_cis(void **state)
{
	const struct {
		enum attempt_state state;
		usec_t seconds;
	} rows[] = {
		{ ATTEMPT_BOOTING, 3600 },
		{ ATTEMPT_UPLOADING, 1800 },
		{ ATTEMPT_RUNNING, 100 + 60 },
	};

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
		assert_int_equal(deadline_of_state(rows[i].state, 100 * SEC),
		                 rows[i].seconds * SEC);
	assert_int_equal(compass_word_find(SLICE_LITERAL("manual_check"))->limit, 36000 * SEC);
	assert_int_equal(compass_word_find(SLICE_LITERAL("on_fail"))->limit, 36000 * SEC);
}

static void a_history_gives_twice_its_p99_within_bounds(void **state)
{
	const struct {
		enum attempt_state state;
		unsigned n;
		usec_t p99, want; /* seconds */
	} rows[] = {
		{ ATTEMPT_BOOTING, 0, 0, 3600 },
		{ ATTEMPT_BOOTING, 4, 300, 3600 }, /* too few to be believed */
		{ ATTEMPT_BOOTING, 5, 300, 600 },
		{ ATTEMPT_BOOTING, 5, 10, 120 },
		{ ATTEMPT_BOOTING, 100, 3500, 7000 }, /* a slow one gets more than the table says */
		{ ATTEMPT_BOOTING, 100, 90000, 7200 },
		{ ATTEMPT_LOADING, 100, 20, 300 },
		{ ATTEMPT_LOADING, 100, 400, 800 },
		{ ATTEMPT_SETUP, 100, 20, 1860 }, /* what a job installs is no matter of the host */
	};

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
		assert_int_equal(deadline_learn(rows[i].state, rows[i].n, rows[i].p99 * SEC),
		                 rows[i].want * SEC);
}

static void a_time_that_is_said_counts_from_now(void **state)
{
	struct attempt run = { .state = ATTEMPT_RUNNING,
		               .run_limit = 500 * SEC,
		               .run_until_steady = 600 * SEC };
	struct attempt upload = { .state = ATTEMPT_UPLOADING };

	deadline_set(&run, 1000 * SEC, 100 * SEC);
	assert_int_equal(run.run_until_steady, 1100 * SEC);
	assert_int_equal(run.deadline_steady, 1160 * SEC);
	assert_int_equal(run.run_limit, 500 * SEC);
	deadline_set(&run, 1000 * SEC, UINT64_MAX / 2);
	assert_int_equal(run.run_until_steady, 1000 * SEC + RUN_LENGTH_MAX);
	deadline_set(&upload, 1000 * SEC, 36000 * SEC);
	assert_int_equal(upload.deadline_steady, 37000 * SEC);
	assert_int_equal(deadline_of_attempt(&upload), 36000 * SEC);
	upload.state = ATTEMPT_DONE;
	assert_int_equal(deadline_of_attempt(&upload), USEC_INFINITY);
}

static void a_word_is_about_its_own_stage_only(void **state)
{
	const struct compass_word *running = compass_word_find(SLICE_LITERAL("running"));
	const struct compass_word *post = compass_word_find(SLICE_LITERAL("post_run"));
	const struct compass_word *fail = compass_word_find(SLICE_LITERAL("on_fail"));

	assert_true(compass_word_is_at(running, ATTEMPT_RUNNING));
	assert_false(compass_word_is_at(running, ATTEMPT_UPLOADING));
	assert_true(compass_word_is_at(post, ATTEMPT_UPLOADING));
	assert_false(compass_word_is_at(post, ATTEMPT_CANCELLING));
	assert_true(compass_word_is_at(fail, ATTEMPT_RUNNING));
	assert_true(compass_word_is_at(fail, ATTEMPT_UPLOADING));
	assert_false(compass_word_is_at(fail, ATTEMPT_CANCELLING));
	assert_false(
		compass_word_is_at(compass_word_find(SLICE_LITERAL("failed")), ATTEMPT_UPLOADING));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_table_is_compass_cis),
		cmocka_unit_test(a_history_gives_twice_its_p99_within_bounds),
		cmocka_unit_test(a_time_that_is_said_counts_from_now),
		cmocka_unit_test(a_word_is_about_its_own_stage_only),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

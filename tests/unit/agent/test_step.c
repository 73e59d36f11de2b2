/* SPDX-License-Identifier: MulanPSL-2.0 */
/* An attempt from hello to its end. */
#include "tests/support/step_walk.h"

static void good_job_goes_through_all_stages(void **state)
{
	struct step s;

	run_job(&s, SEC(5));
	step_exited(&s, 0, SEC(9));
	step_emptied(&s, SEC(9));
	assert_int_equal(step_next(&s, SEC(9)), STEP_WANT_COLLECT);
	expect_stage(&s, SEC(9), MESSAGE_STAGE_POST);
	answer(&s, 200, SEC(9));
	expect_stage(&s, SEC(9), MESSAGE_STAGE_UPLOADING);
	answer(&s, 200, SEC(9));
	expect_wait(&s, SEC(9));
	step_uploaded(&s, SEC(10));
	expect_call(&s, SEC(10), STEP_CALL_FINISH);
	assert_int_equal(s.verdict, MESSAGE_VERDICT_PASS);
	assert_string_equal(step_cause_to_name(s.cause), "");
	assert_int_equal(s.exit_code, 0);
	answer(&s, 200, SEC(10));
	assert_int_equal(step_next(&s, SEC(10)), STEP_WANT_END);
	assert_int_equal(s.end, STEP_END_REBOOT);
}

static void exit_status_becomes_the_verdict(void **state)
{
	static const struct {
		int code;
		enum message_verdict verdict;
		const char *cause;
	} cases[] = {
		{ 0, MESSAGE_VERDICT_PASS, "" },
		{ 1, MESSAGE_VERDICT_FAIL, "" },
		{ 127, MESSAGE_VERDICT_FAIL, "" },
		{ -1, MESSAGE_VERDICT_FAIL, "crash" },
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct step s;

		run_job(&s, 0);
		step_exited(&s, cases[i].code, SEC(1));
		step_emptied(&s, SEC(1));
		finish_job(&s, SEC(1));
		assert_int_equal(s.verdict, cases[i].verdict);
		assert_int_equal(s.exit_code, cases[i].code);
		assert_string_equal(step_cause_to_name(s.cause), cases[i].cause);
	}
}

static void nothing_starts_before_hello_is_accepted(void **state)
{
	static const unsigned transient[] = { 0, 500, 503, 429, 408, 302, 204 };
	struct step s;
	usec_t now = SEC(3);

	step_init(&s, 7, false, now);
	for (unsigned i = 0; i < 200; i++) {
		expect_call(&s, now, STEP_CALL_HELLO);
		answer(&s, transient[i % ARRAY_SIZE(transient)], now);
		expect_wait(&s, now);
		/* every second while the network may be coming up, at most 30 s later on */
		assert_in_range(wait_deadline(&s) - now, 1,
		                now < SEC(3) + STEP_EAGER ? SEC(1) : SEC(30));
		now = wait_deadline(&s);
	}
	expect_call(&s, now, STEP_CALL_HELLO);
	step_answered(&s, 200, NULL, 0, now); /* no body: nothing was agreed */
	expect_wait(&s, now);
	now = wait_deadline(&s);
	expect_call(&s, now, STEP_CALL_HELLO);
	step_answered(&s, 200, &hello_answer, 0, now);
	assert_int_equal(step_next(&s, now), STEP_WANT_START);
}

static void refused_hello_reboots_without_running_anything(void **state)
{
	static const unsigned refusals[] = { 401, 403, 404, 410 };

	for (size_t i = 0; i < ARRAY_SIZE(refusals); i++) {
		struct step s;
		usec_t at;

		step_init(&s, i, false, 0);
		expect_call(&s, 0, STEP_CALL_HELLO);
		answer(&s, refusals[i], 0);
		expect_wait(&s, 0); /* not at once: it may be refused again after the next boot */
		at = wait_deadline(&s);
		assert_in_range(at, SEC(1), STEP_REFUSED_WAIT);
		assert_int_equal(step_next(&s, at), STEP_WANT_END);
		assert_int_equal(s.end, STEP_END_REBOOT);
		assert_false(s.start_asked);
	}
}

static void next_of_hello_and_of_finish_is_obeyed(void **state)
{
	struct message_answer body = plain;
	struct step s;

	body.next = JOB_NEXT_POWEROFF;
	step_init(&s, 1, false, 0);
	expect_call(&s, 0, STEP_CALL_HELLO);
	step_answered(&s, 200, &body, 0, 0);
	assert_int_equal(s.end, STEP_END_POWEROFF);
	assert_int_equal(s.deadline, USEC_INFINITY);

	run_job(&s, 0);
	step_exited(&s, 0, 0);
	step_emptied(&s, 0);
	assert_int_equal(step_next(&s, 0), STEP_WANT_COLLECT);
	step_uploaded(&s, 0);
	expect_finish(&s, 0);
	step_answered(&s, 200, &body, 0, 0);
	assert_int_equal(step_next(&s, 0), STEP_WANT_END);
	assert_int_equal(s.end, STEP_END_POWEROFF);
}

static void missing_job_and_failed_start_are_told(void **state)
{
	static const struct {
		int r;
		const char *cause;
	} cases[] = { { -ENOENT, "no_job" }, { -ENOMEM, "start_failed" } };

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct step s;

		step_init(&s, 1, false, 0);
		expect_call(&s, 0, STEP_CALL_HELLO);
		step_answered(&s, 200, &hello_answer, 0, 0);
		assert_int_equal(step_next(&s, 0), STEP_WANT_START);
		step_started(&s, cases[i].r, 0);
		finish_job(&s, 0);
		assert_int_equal(s.verdict, MESSAGE_VERDICT_FAIL);
		assert_string_equal(step_cause_to_name(s.cause), cases[i].cause);
		assert_int_equal(s.exit_code, -1);
	}
}

static void deadline_ends_the_job_and_its_tree(void **state)
{
	struct step s;
	usec_t now = SEC(100);

	run_job(&s, 0);
	while (s.state == STEP_STATE_RUNNING && wait_deadline(&s) < SEC(100)) {
		usec_t at = wait_deadline(&s);

		expect_call(&s, at, STEP_CALL_HEARTBEAT);
		answer(&s, 200, at);
		expect_wait(&s, at);
	}
	assert_int_equal(step_next(&s, now), STEP_WANT_TERM);
	now += STEP_GRACE_TIMEOUT;
	assert_int_equal(step_next(&s, now), STEP_WANT_KILL);
	step_exited(&s, -1, now);
	step_emptied(&s, now);
	finish_job(&s, now);
	assert_int_equal(s.cause, STEP_CAUSE_TIMEOUT);
	assert_int_equal(s.verdict, MESSAGE_VERDICT_FAIL);
}

static void deadline_moves_with_the_server(void **state)
{
	struct message_answer later = plain;
	struct step s;

	later.has_deadline = true;
	later.deadline_sec = 1000;
	run_job(&s, 0);
	expect_call(&s, SEC(11), STEP_CALL_HEARTBEAT);
	step_answered(&s, 200, &later, 0, SEC(11));
	expect_wait(&s, SEC(11));
	assert_int_equal(s.deadline, SEC(1011));
	expect_call(&s, SEC(500), STEP_CALL_HEARTBEAT);
	answer(&s, 200, SEC(500));
	assert_int_equal(s.deadline, SEC(1011)); /* not named: unchanged */
	assert_int_equal(step_next(&s, SEC(1011)), STEP_WANT_TERM);
}

static void cancel_ends_the_job_and_is_the_cause(void **state)
{
	struct step s;

	run_job(&s, 0);
	expect_call(&s, SEC(11), STEP_CALL_HEARTBEAT);
	step_answered(&s, 200, &cancel_answer, 0, SEC(11));
	assert_int_equal(step_next(&s, SEC(11)), STEP_WANT_TERM);
	expect_wait(&s, SEC(11));
	step_exited(&s, 0, SEC(12)); /* even when it ends well */
	step_emptied(&s, SEC(12));
	finish_job(&s, SEC(12));
	assert_int_equal(s.verdict, MESSAGE_VERDICT_FAIL);
	assert_string_equal(step_cause_to_name(s.cause), "cancelled");
}

static void cancel_in_hello_runs_nothing(void **state)
{
	struct step s;

	step_init(&s, 1, false, 0);
	expect_call(&s, 0, STEP_CALL_HELLO);
	step_answered(&s, 200, &cancel_answer, 0, 0);
	finish_job(&s, 0);
	assert_false(s.start_asked);
	assert_int_equal(s.cause, STEP_CAUSE_CANCELLED);
}

static void cancel_after_the_job_changes_nothing(void **state)
{
	struct step s;

	run_job(&s, 0);
	step_exited(&s, 0, SEC(1));
	step_emptied(&s, SEC(1));
	assert_int_equal(step_next(&s, SEC(1)), STEP_WANT_COLLECT);
	expect_stage(&s, SEC(1), MESSAGE_STAGE_POST);
	step_answered(&s, 200, &cancel_answer, 0, SEC(1));
	assert_int_equal(s.state, STEP_STATE_UPLOADING);
	assert_int_equal(s.verdict, MESSAGE_VERDICT_PASS);
}

static void leftovers_are_termed_then_killed(void **state)
{
	struct step s;

	run_job(&s, 0);
	step_exited(&s, 0, SEC(1));
	assert_int_equal(step_next(&s, SEC(1)), STEP_WANT_TERM);
	expect_stage(&s, SEC(1), MESSAGE_STAGE_POST);
	answer(&s, 200, SEC(1));
	expect_wait(&s, SEC(1));
	assert_int_equal(wait_deadline(&s), SEC(1) + STEP_GRACE_LEFTOVER);
	assert_int_equal(step_next(&s, SEC(6)), STEP_WANT_KILL);
	step_emptied(&s, SEC(6));
	finish_job(&s, SEC(6));
	assert_int_equal(s.verdict, MESSAGE_VERDICT_PASS); /* the job itself ended well */
}

static void process_that_cannot_be_killed_does_not_hold_the_machine(void **state)
{
	struct step s;
	usec_t now = SEC(100);

	run_job(&s, 0);
	assert_int_equal(step_next(&s, now), STEP_WANT_TERM);
	now += STEP_GRACE_TIMEOUT;
	assert_int_equal(step_next(&s, now), STEP_WANT_KILL);
	now += STEP_UNKILLABLE;
	finish_job(&s, now);
	assert_int_equal(s.cause, STEP_CAUSE_TIMEOUT);
	assert_int_equal(s.exit_code, -1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(good_job_goes_through_all_stages),
		cmocka_unit_test(exit_status_becomes_the_verdict),
		cmocka_unit_test(nothing_starts_before_hello_is_accepted),
		cmocka_unit_test(refused_hello_reboots_without_running_anything),
		cmocka_unit_test(next_of_hello_and_of_finish_is_obeyed),
		cmocka_unit_test(missing_job_and_failed_start_are_told),
		cmocka_unit_test(deadline_ends_the_job_and_its_tree),
		cmocka_unit_test(deadline_moves_with_the_server),
		cmocka_unit_test(cancel_ends_the_job_and_is_the_cause),
		cmocka_unit_test(cancel_in_hello_runs_nothing),
		cmocka_unit_test(cancel_after_the_job_changes_nothing),
		cmocka_unit_test(leftovers_are_termed_then_killed),
		cmocka_unit_test(process_that_cannot_be_killed_does_not_hold_the_machine),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

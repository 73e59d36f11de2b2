/* SPDX-License-Identifier: MulanPSL-2.0 */
/* What goes wrong around an attempt: fences, a server that is away, a stop, a restart. */
#include "tests/support/step_walk.h"

static void fence_while_running_kills_without_grace_or_finish(void **state)
{
	static const unsigned refusals[] = { 401, 410 };

	for (size_t i = 0; i < ARRAY_SIZE(refusals); i++) {
		struct step s;

		run_job(&s, 0);
		expect_call(&s, SEC(11), STEP_CALL_HEARTBEAT);
		answer(&s, refusals[i], SEC(11));
		assert_int_equal(step_next(&s, SEC(11)), STEP_WANT_KILL);
		assert_int_equal(step_next(&s, SEC(11)), STEP_WANT_WAIT);
		step_exited(&s, -1, SEC(11));
		step_emptied(&s, SEC(11));
		assert_int_equal(step_next(&s, SEC(11)), STEP_WANT_END);
		assert_int_equal(s.end, STEP_END_REBOOT);
	}
}

static void fence_by_an_upload_ends_the_uploading(void **state)
{
	struct step s;

	run_job(&s, 0);
	step_exited(&s, 0, SEC(1));
	step_emptied(&s, SEC(1));
	assert_int_equal(step_next(&s, SEC(1)), STEP_WANT_COLLECT);
	step_fenced(&s, SEC(2));
	assert_int_equal(step_next(&s, SEC(2)), STEP_WANT_GIVE_UP);
	assert_int_equal(step_next(&s, SEC(2)), STEP_WANT_END);
	assert_int_equal(s.end, STEP_END_REBOOT);
}

static void fence_by_the_log_upload_stops_a_running_job(void **state)
{
	struct step s;

	run_job(&s, 0);
	step_fenced(&s, SEC(2));
	assert_int_equal(step_next(&s, SEC(2)), STEP_WANT_KILL);
}

static void server_away_does_not_touch_the_job(void **state)
{
	struct step s;
	usec_t now = SEC(11);

	run_job(&s, 0);
	s.deadline = SEC(100000);
	for (unsigned i = 0; i < 1000; i++) {
		expect_call(&s, now, STEP_CALL_HEARTBEAT);
		answer(&s, i % 2 ? 500 : 0, now);
		expect_wait(&s, now);
		assert_in_range(wait_deadline(&s) - now, 1, SEC(30));
		now = wait_deadline(&s);
		assert_int_equal(s.state, STEP_STATE_RUNNING);
	}
	expect_call(&s, now, STEP_CALL_HEARTBEAT);
	answer(&s, 200, now);
	assert_int_equal(s.backoff.n_failed, 0);
}

static void stages_missed_are_made_up_by_the_last(void **state)
{
	struct step s;

	step_init(&s, 1, false, 0);
	expect_call(&s, 0, STEP_CALL_HELLO);
	step_answered(&s, 200, &hello_answer, 0, 0);
	assert_int_equal(step_next(&s, 0), STEP_WANT_START);
	expect_stage(&s, 0, MESSAGE_STAGE_SETUP);
	step_started(&s, 0, 0);
	answer(&s, 0, 0); /* lost */
	expect_wait(&s, 0);
	expect_stage(&s, wait_deadline(&s), MESSAGE_STAGE_RUNNING);
	answer(&s, 200, SEC(2));
	assert_int_equal(s.stages, 0);
}

static void stage_that_fails_does_not_hold_up_finish(void **state)
{
	struct step s;

	run_job(&s, 0);
	step_exited(&s, 0, 0);
	step_emptied(&s, 0);
	assert_int_equal(step_next(&s, 0), STEP_WANT_COLLECT);
	expect_stage(&s, 0, MESSAGE_STAGE_POST);
	step_uploaded(&s, 0);
	answer(&s, 503, 0);
	expect_wait(&s, 0);
	expect_call(&s, wait_deadline(&s), STEP_CALL_FINISH);
}

static void stage_that_is_not_understood_is_dropped(void **state)
{
	struct step s;

	run_job(&s, 0);
	step_exited(&s, 0, SEC(1));
	step_emptied(&s, SEC(1));
	assert_int_equal(step_next(&s, SEC(1)), STEP_WANT_COLLECT);
	expect_stage(&s, SEC(1), MESSAGE_STAGE_POST);
	answer(&s, 400, SEC(1));
	expect_stage(&s, SEC(1), MESSAGE_STAGE_UPLOADING);
}

static void finish_is_repeated_until_it_is_taken(void **state)
{
	struct step s;
	usec_t now = SEC(1);

	run_job(&s, 0);
	step_exited(&s, 0, now);
	step_emptied(&s, now);
	assert_int_equal(step_next(&s, now), STEP_WANT_COLLECT);
	step_uploaded(&s, now);
	for (unsigned i = 0; i < 20; i++) {
		expect_finish(&s, now);
		answer(&s, i % 2 ? 0 : 503, now);
		expect_wait(&s, now);
		now = wait_deadline(&s);
	}
	expect_call(&s, now, STEP_CALL_FINISH);
	answer(&s, 200, now);
	assert_int_equal(step_next(&s, now), STEP_WANT_END);
}

static void finish_that_cannot_be_taken_still_ends(void **state)
{
	static const unsigned statuses[] = { 400, 409, 413, 422, 410, 401 };

	for (size_t i = 0; i < ARRAY_SIZE(statuses); i++) {
		struct step s;

		run_job(&s, 0);
		step_exited(&s, 0, 0);
		step_emptied(&s, 0);
		assert_int_equal(step_next(&s, 0), STEP_WANT_COLLECT);
		step_uploaded(&s, 0);
		expect_finish(&s, 0);
		answer(&s, statuses[i], 0);
		assert_int_equal(step_next(&s, 0), STEP_WANT_END);
	}
}

static void patience_with_uploads_ends_without_progress_only(void **state)
{
	struct step s;
	usec_t now = SEC(1);

	run_job(&s, 0);
	step_exited(&s, 0, now);
	step_emptied(&s, now);
	assert_int_equal(step_next(&s, now), STEP_WANT_COLLECT);
	for (unsigned i = 0; i < 10; i++) { /* slow, but it moves */
		now += STEP_UPLOAD_IDLE - SEC(1);
		step_progressed(&s, now);
		while (step_next(&s, now) == STEP_WANT_CALL)
			answer(&s, 200, now);
		assert_int_equal(s.state, STEP_STATE_UPLOADING);
	}
	now += STEP_UPLOAD_IDLE;
	assert_int_equal(step_next(&s, now), STEP_WANT_GIVE_UP);
	expect_call(&s, now, STEP_CALL_FINISH);
	answer(&s, 0, now);
	now += STEP_FINISH_MAX;
	assert_int_equal(step_next(&s, now), STEP_WANT_END);
	assert_int_equal(s.end, STEP_END_REBOOT);
}

static void restarted_agent_does_not_start_the_job_again(void **state)
{
	struct step s;

	step_init(&s, 1, true, 0);
	expect_call(&s, 0, STEP_CALL_HELLO);
	step_answered(&s, 200, &hello_answer, 0, 0);
	assert_int_equal(step_next(&s, 0), STEP_WANT_KILL);
	step_emptied(&s, 0);
	finish_job(&s, 0);
	assert_false(s.start_asked);
	assert_string_equal(step_cause_to_name(s.cause), "agent_restart");
	assert_int_equal(s.verdict, MESSAGE_VERDICT_FAIL);
}

static void stop_kills_the_job_and_exits(void **state)
{
	struct step s;

	run_job(&s, 0);
	step_stop(&s, SEC(1));
	assert_int_equal(step_next(&s, SEC(1)), STEP_WANT_TERM);
	assert_int_equal(step_next(&s, SEC(1) + STEP_GRACE_LEFTOVER), STEP_WANT_KILL);
	step_exited(&s, -1, SEC(6));
	step_emptied(&s, SEC(6));
	assert_int_equal(step_next(&s, SEC(6)), STEP_WANT_END);
	assert_int_equal(s.end, STEP_END_EXIT);
}

static void stop_elsewhere_exits_at_once(void **state)
{
	struct step s;

	step_init(&s, 1, false, 0);
	expect_call(&s, 0, STEP_CALL_HELLO);
	step_stop(&s, 0);
	assert_int_equal(step_next(&s, 0), STEP_WANT_END);
	assert_int_equal(s.end, STEP_END_EXIT);
	step_answered(&s, 200, &hello_answer, 0, 0); /* too late */
	assert_int_equal(step_next(&s, 0), STEP_WANT_WAIT);

	run_job(&s, 0);
	step_exited(&s, 0, 0);
	step_emptied(&s, 0);
	finish_job(&s, 0);
	step_stop(&s, SEC(1)); /* the reboot that we asked for */
	assert_int_equal(step_next(&s, SEC(1)), STEP_WANT_END);
	assert_int_equal(s.end, STEP_END_EXIT);
}

static void stop_while_the_job_starts_catches_it(void **state)
{
	struct step s;

	step_init(&s, 1, false, 0);
	expect_call(&s, 0, STEP_CALL_HELLO);
	step_answered(&s, 200, &hello_answer, 0, 0);
	assert_int_equal(step_next(&s, 0), STEP_WANT_START);
	step_stop(&s, 0);
	assert_int_equal(step_next(&s, 0), STEP_WANT_TERM);
	step_started(&s, 0, SEC(1));
	assert_int_equal(step_next(&s, SEC(1)), STEP_WANT_TERM);
	step_exited(&s, -1, SEC(1));
	step_emptied(&s, SEC(1));
	assert_int_equal(step_next(&s, SEC(1)), STEP_WANT_END);
	assert_int_equal(s.end, STEP_END_EXIT);
}

static void retry_after_is_honoured_within_reason(void **state)
{
	struct step s;

	run_job(&s, 0);
	expect_call(&s, SEC(11), STEP_CALL_HEARTBEAT);
	step_answered(&s, 503, &plain, 20, SEC(11));
	expect_wait(&s, SEC(11));
	assert_true(wait_deadline(&s) >= SEC(31));
	expect_call(&s, SEC(60), STEP_CALL_HEARTBEAT);
	step_answered(&s, 503, &plain, 4000000000, SEC(60));
	assert_true(wait_deadline(&s) <= SEC(90));
}

static void heartbeats_keep_a_short_lease(void **state)
{
	struct message_answer body = plain;
	struct step s;

	body.lease_sec = 4;
	run_job(&s, 0);
	expect_call(&s, SEC(11), STEP_CALL_HEARTBEAT);
	step_answered(&s, 200, &body, 0, SEC(11));
	assert_in_range(wait_deadline(&s) - SEC(11), SEC(1), SEC(2));
}

/* One life of a machine to which anything may happen. */
struct story {
	struct rng rng;
	struct step s;
	usec_t now;
	unsigned n_started;
	bool is_accepted, has_ended;
};

static void take_want(struct story *story, enum step_want want)
{
	if (want == STEP_WANT_START) {
		assert_true(story->is_accepted);
		story->n_started++;
	} else if (want == STEP_WANT_END) {
		story->has_ended = story->s.end != STEP_END_EXIT || story->s.is_stopped;
		assert_true(story->has_ended);
	}
}

static void get_answer(struct story *story, unsigned status, const struct message_answer *body)
{
	if (!story->s.is_calling)
		return;
	story->is_accepted |= story->s.call == STEP_CALL_HELLO && status == 200;
	step_answered(&story->s, status, status == 200 ? body : NULL, 0, story->now);
}

/* Whatever was under way goes well. */
static void all_goes_well(struct story *story)
{
	get_answer(story, 200, &plain);
	step_started(&story->s, 0, story->now);
	step_exited(&story->s, 0, story->now);
	step_emptied(&story->s, story->now);
	step_uploaded(&story->s, story->now);
}

static void something_happens(struct story *story)
{
	static const unsigned statuses[] = { 0, 200, 200, 200, 400, 401, 404, 409, 410, 500, 503 };
	struct message_answer body = hello_answer;
	struct rng *rng = &story->rng;
	struct step *s = &story->s;
	bool rarely = rng_between(rng, 0, 20) == 0;

	body.cancel = rng_between(rng, 0, 5) == 0;
	switch (rng_between(rng, 0, 11)) {
	case 0 ... 2:
		get_answer(story, statuses[rng_between(rng, 0, 10)], &body);
		break;
	case 3:
		if (story->n_started > 0)
			step_started(s, rng_between(rng, 0, 3) ? 0 : -EIO, story->now);
		break;
	case 4:
		step_exited(s, (int)rng_between(rng, 0, 2) - 1, story->now);
		break;
	case 5:
		step_emptied(s, story->now);
		break;
	case 6:
		step_uploaded(s, story->now);
		break;
	case 7:
		if (rarely)
			step_fenced(s, story->now);
		break;
	case 8:
		if (rarely)
			step_stop(s, story->now);
		break;
	default:
		if (step_deadline(s) != USEC_INFINITY)
			story->now = MAX(story->now, step_deadline(s));
		break;
	}
}

/*
 * Any events in any order: the machine neither asserts nor starts twice nor starts unasked, and
 * once everything answers it ends.
 */
static void random_stories_end(void **state)
{
	for (uint64_t seed = 0; seed < 3000; seed++) {
		struct story story = { .now = 0 };

		rng_init(&story.rng, seed);
		step_init(&story.s, seed, rng_between(&story.rng, 0, 9) == 0, 0);
		for (unsigned i = 0; i < 400 && !story.has_ended; i++) {
			take_want(&story, step_next(&story.s, story.now));
			if (i > 150 && !story.has_ended)
				all_goes_well(&story);
			if (!story.has_ended)
				something_happens(&story);
		}
		assert_true(story.n_started <= 1);
		assert_true(story.has_ended);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(fence_while_running_kills_without_grace_or_finish),
		cmocka_unit_test(fence_by_an_upload_ends_the_uploading),
		cmocka_unit_test(fence_by_the_log_upload_stops_a_running_job),
		cmocka_unit_test(server_away_does_not_touch_the_job),
		cmocka_unit_test(stages_missed_are_made_up_by_the_last),
		cmocka_unit_test(stage_that_fails_does_not_hold_up_finish),
		cmocka_unit_test(stage_that_is_not_understood_is_dropped),
		cmocka_unit_test(finish_is_repeated_until_it_is_taken),
		cmocka_unit_test(finish_that_cannot_be_taken_still_ends),
		cmocka_unit_test(patience_with_uploads_ends_without_progress_only),
		cmocka_unit_test(restarted_agent_does_not_start_the_job_again),
		cmocka_unit_test(stop_kills_the_job_and_exits),
		cmocka_unit_test(stop_elsewhere_exits_at_once),
		cmocka_unit_test(stop_while_the_job_starts_catches_it),
		cmocka_unit_test(retry_after_is_honoured_within_reason),
		cmocka_unit_test(heartbeats_keep_a_short_lease),
		cmocka_unit_test(random_stories_end),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

/* SPDX-License-Identifier: MulanPSL-2.0 */
/* The tables of job, attempt and host, and what the end of an attempt means. */
#include "tests/support/test.h"

#include "lib/base/macro.h"
#include "server/core/attempt_machine.h"
#include "server/core/deadlines.h"
#include "server/core/host_machine.h"
#include "server/core/job_machine.h"

static void tables_are_sound(void **state)
{
	assert_true(machine_is_sound(&job_machine));
	assert_true(machine_is_sound(&attempt_machine));
	assert_true(machine_is_sound(&host_machine));
}

static void every_state_has_a_name_that_reads_back(void **state)
{
	for (int s = 0; s < _JOB_STATE_MAX; s++)
		assert_int_equal(job_state_from_name(slice_from_text(job_state_to_name(s))), s);
	for (int s = 0; s < _ATTEMPT_STATE_MAX; s++)
		assert_int_equal(attempt_state_from_name(slice_from_text(attempt_state_to_name(s))),
		                 s);
	for (int s = 0; s < _HOST_STATE_MAX; s++)
		assert_int_equal(host_state_from_name(slice_from_text(host_state_to_name(s))), s);
	for (int bit = 0; bit < HOST_N_FLAGS; bit++)
		assert_string_not_equal(host_flag_to_name(bit), "?");
}

/* S5: no event moves a final state. L1: every state has a way out. */
static void final_states_stay_and_others_can_leave(void **state)
{
	int next;

	for (int s = 0; s < _JOB_STATE_MAX; s++) {
		unsigned n_moves = 0;

		for (int e = 0; e < _JOB_EVENT_MAX; e++)
			n_moves += machine_next(&job_machine, s, e, &next) == MACHINE_MOVED;
		assert_int_equal(n_moves == 0, job_state_is_final(s));
	}
	for (int s = 0; s < _ATTEMPT_STATE_MAX; s++) {
		unsigned n_moves = 0;

		for (int e = 0; e < _ATTEMPT_EVENT_MAX; e++)
			n_moves += machine_next(&attempt_machine, s, e, &next) == MACHINE_MOVED;
		assert_int_equal(n_moves == 0, attempt_state_is_final(s));
	}
}

static void every_open_attempt_has_a_deadline_that_ends_or_fails_it(void **state)
{
	int next;

	for (int s = 0; s < _ATTEMPT_STATE_MAX; s++) {
		usec_t length = deadline_of_state((enum attempt_state)s, 5 * USEC_PER_SEC);

		if (attempt_state_is_final(s)) {
			assert_true(length == USEC_INFINITY);
			continue;
		}
		assert_in_range(length, 30 * USEC_PER_SEC, 3600 * USEC_PER_SEC);
		assert_int_equal(machine_next(&attempt_machine, s, ATTEMPT_EVENT_DEADLINE, &next),
		                 MACHINE_MOVED);
		assert_true(attempt_state_is_final(next));
	}
}

static void a_later_report_implies_the_earlier_ones(void **state)
{
	static const struct {
		int from, event, to;
	} cases[] = {
		{ ATTEMPT_OFFERED, ATTEMPT_EVENT_HELLO, ATTEMPT_SETUP },
		{ ATTEMPT_LOADING, ATTEMPT_EVENT_RUN, ATTEMPT_RUNNING },
		{ ATTEMPT_BOOTING, ATTEMPT_EVENT_POST, ATTEMPT_UPLOADING },
		{ ATTEMPT_BOOTING, ATTEMPT_EVENT_FINISH, ATTEMPT_DONE },
	};
	int next;

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		assert_int_equal(
			machine_next(&attempt_machine, cases[i].from, cases[i].event, &next),
			MACHINE_MOVED);
		assert_int_equal(next, cases[i].to);
	}
	assert_int_equal(
		machine_next(&attempt_machine, ATTEMPT_RUNNING, ATTEMPT_EVENT_HELLO, &next),
		MACHINE_REFUSED);
}

/* What a machine that announced its reboot says is late, until another kernel says hello. */
static void only_hello_brings_a_rebooting_machine_back(void **state)
{
	static const int late[] = { ATTEMPT_EVENT_RUN, ATTEMPT_EVENT_POST, ATTEMPT_EVENT_REBOOT };
	int next;

	assert_int_equal(
		machine_next(&attempt_machine, ATTEMPT_RUNNING, ATTEMPT_EVENT_REBOOT, &next),
		MACHINE_MOVED);
	assert_int_equal(next, ATTEMPT_REBOOTING);
	assert_int_equal(machine_next(&attempt_machine, next, ATTEMPT_EVENT_HELLO, &next),
	                 MACHINE_MOVED);
	assert_int_equal(next, ATTEMPT_RUNNING);
	for (size_t i = 0; i < ARRAY_SIZE(late); i++)
		assert_int_equal(machine_next(&attempt_machine, ATTEMPT_REBOOTING, late[i], &next),
		                 MACHINE_REFUSED);
}

/* A crash is the code's end, whatever comes after it. */
static void a_crash_is_never_infrastructure(void **state)
{
	static const int events[] = { ATTEMPT_EVENT_DEADLINE, ATTEMPT_EVENT_FAIL,
		                      ATTEMPT_EVENT_FINISH };
	int next;

	for (size_t i = 0; i < ARRAY_SIZE(events); i++) {
		assert_int_equal(machine_next(&attempt_machine, ATTEMPT_CRASHED, events[i], &next),
		                 MACHINE_MOVED);
		assert_int_equal(next, ATTEMPT_DONE);
	}
}

static void a_job_that_fails_on_three_hosts_is_held(void **state)
{
	struct job_judge_facts facts = {
		.ended = ATTEMPT_INFRA, .tries = 2, .max_tries = 3, .n_failed_hosts = 2
	};

	assert_int_equal(job_judge(&facts).event, JOB_EVENT_GIVE_UP);
	facts.n_failed_hosts = JOB_POISON_HOSTS;
	assert_int_equal(job_judge(&facts).event, JOB_EVENT_HOLD);
	facts = (struct job_judge_facts){
		.ended = ATTEMPT_DONE, .verdict = JOB_FAIL, .max_tries = 3, .n_failed_hosts = 3
	};
	assert_int_equal(job_judge(&facts).event, JOB_EVENT_FINISH);
}

static void cancelling_wins_over_finish_and_failure(void **state)
{
	int next;

	assert_int_equal(
		machine_next(&attempt_machine, ATTEMPT_CANCELLING, ATTEMPT_EVENT_FINISH, &next), 0);
	assert_int_equal(next, ATTEMPT_CANCELLED);
	assert_int_equal(
		machine_next(&attempt_machine, ATTEMPT_CANCELLING, ATTEMPT_EVENT_FAIL, &next), 0);
	assert_int_equal(next, ATTEMPT_CANCELLED);
}

static void a_verdict_finishes_and_infrastructure_is_tried_again(void **state)
{
	struct job_judge_facts facts = {
		.ended = ATTEMPT_DONE, .verdict = JOB_FAIL, .tries = 2, .max_tries = 3
	};
	struct job_judgement j = job_judge(&facts);

	assert_int_equal(j.event, JOB_EVENT_FINISH);
	assert_false(j.charge);
	facts.ran_out = true;
	assert_int_equal(job_judge(&facts).event, JOB_EVENT_TIMEOUT);
	facts = (struct job_judge_facts){ .ended = ATTEMPT_INFRA, .max_tries = 3 };
	j = job_judge(&facts);
	assert_int_equal(j.event, JOB_EVENT_REQUEUE);
	assert_true(j.charge);
	assert_int_equal(j.back_off, JOB_BACK_OFF_FIRST);
	facts.tries = 1;
	assert_int_equal(job_judge(&facts).back_off, 2 * JOB_BACK_OFF_FIRST);
	facts.tries = 2;
	assert_int_equal(job_judge(&facts).event, JOB_EVENT_GIVE_UP);
	facts = (struct job_judge_facts){ .ended = ATTEMPT_INFRA, .tries = 50, .max_tries = 99 };
	assert_int_equal(job_judge(&facts).back_off, JOB_BACK_OFF_MAX);
}

static void a_lost_offer_costs_nothing_but_not_for_ever(void **state)
{
	struct job_judge_facts facts = { .ended = ATTEMPT_LOST_OFFER, .max_tries = 2 };
	struct job_judgement j = job_judge(&facts);

	assert_int_equal(j.event, JOB_EVENT_REQUEUE);
	assert_false(j.charge);
	assert_true(j.lost_offer);
	facts.lost_offers = JOB_LOST_OFFERS_MAX;
	assert_true(job_judge(&facts).charge);
	facts.tries = 1;
	assert_int_equal(job_judge(&facts).event, JOB_EVENT_GIVE_UP);
}

/* S10: what is not the job's fault never gives it a verdict. */
static void every_end_is_judged(void **state)
{
	for (int s = ATTEMPT_DONE; s < _ATTEMPT_STATE_MAX; s++) {
		struct job_judge_facts facts = { .ended = (enum attempt_state)s, .max_tries = 3 };
		int next;

		assert_int_equal(
			machine_next(&job_machine, JOB_ACTIVE, job_judge(&facts).event, &next), 0);
		assert_int_not_equal(next, JOB_FINISHED);
		assert_int_not_equal(next, JOB_ACTIVE);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(tables_are_sound),
		cmocka_unit_test(every_state_has_a_name_that_reads_back),
		cmocka_unit_test(final_states_stay_and_others_can_leave),
		cmocka_unit_test(every_open_attempt_has_a_deadline_that_ends_or_fails_it),
		cmocka_unit_test(a_later_report_implies_the_earlier_ones),
		cmocka_unit_test(only_hello_brings_a_rebooting_machine_back),
		cmocka_unit_test(a_crash_is_never_infrastructure),
		cmocka_unit_test(a_job_that_fails_on_three_hosts_is_held),
		cmocka_unit_test(cancelling_wins_over_finish_and_failure),
		cmocka_unit_test(a_verdict_finishes_and_infrastructure_is_tried_again),
		cmocka_unit_test(a_lost_offer_costs_nothing_but_not_for_ever),
		cmocka_unit_test(every_end_is_judged),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

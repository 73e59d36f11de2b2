/* SPDX-License-Identifier: MulanPSL-2.0 */
/*
 * The steps of an attempt walked through: what is wanted next, and answers to it.
 */
#pragma once

#include "tests/support/test.h"

#include "agent/step.h"
#include "lib/base/macro.h"

#define SEC(n) ((usec_t)(n)*USEC_PER_SEC)

static const struct message_answer plain = { .next = -1 };
static const struct message_answer hello_answer = {
	.has_deadline = true,
	.deadline_sec = 100,
	.lease_sec = 600,
	.log_interval_ms = 1000,
	.next = JOB_NEXT_REBOOT,
};
static const struct message_answer cancel_answer = { .cancel = true, .next = -1 };

static inline void expect_call(struct step *s, usec_t now, enum step_call call)
{
	assert_int_equal(step_next(s, now), STEP_WANT_CALL);
	assert_int_equal(s->call, call);
}

static inline void expect_stage(struct step *s, usec_t now, enum message_stage stage)
{
	expect_call(s, now, STEP_CALL_STAGE);
	assert_int_equal(s->call_stage, stage);
}

static inline void expect_wait(struct step *s, usec_t now)
{
	assert_int_equal(step_next(s, now), STEP_WANT_WAIT);
	assert_true(step_deadline(s) > now);
}

/* Passes time to the next deadline; returns it. */
static inline usec_t wait_deadline(struct step *s)
{
	usec_t at = step_deadline(s);

	assert_true(at < USEC_INFINITY);
	return at;
}

static inline void answer(struct step *s, unsigned status, usec_t now)
{
	step_answered(s, status, &plain, 0, now);
}

/* Up to the running job, its stages told. */
static inline void run_job(struct step *s, usec_t now)
{
	step_init(s, 1, false, now);
	expect_call(s, now, STEP_CALL_HELLO);
	expect_wait(s, now);
	step_answered(s, 200, &hello_answer, 0, now);
	assert_int_equal(step_next(s, now), STEP_WANT_START);
	expect_stage(s, now, MESSAGE_STAGE_SETUP);
	step_started(s, 0, now);
	answer(s, 200, now);
	expect_stage(s, now, MESSAGE_STAGE_RUNNING);
	answer(s, 200, now);
	expect_wait(s, now);
	assert_int_equal(s->state, STEP_STATE_RUNNING);
}

/* Answers what the agent still wants to tell before finish. */
static inline void expect_finish(struct step *s, usec_t now)
{
	while (step_next(s, now) == STEP_WANT_CALL && s->call == STEP_CALL_STAGE)
		answer(s, 200, now);
	assert_true(s->is_calling);
	assert_int_equal(s->call, STEP_CALL_FINISH);
}

/* From the emptied job to the end, all going well. */
static inline void finish_job(struct step *s, usec_t now)
{
	assert_int_equal(step_next(s, now), STEP_WANT_COLLECT);
	step_uploaded(s, now);
	expect_finish(s, now);
	answer(s, 200, now);
	assert_int_equal(step_next(s, now), STEP_WANT_END);
	assert_int_equal(step_next(s, now), STEP_WANT_WAIT);
	assert_int_equal(step_deadline(s), USEC_INFINITY);
}

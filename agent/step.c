/* SPDX-License-Identifier: MulanPSL-2.0 */
/*
 * Three things go on side by side: the control channel (one call at a time), the job's processes,
 * the results. step_next asks each in turn.
 */
#include "agent/step.h"

#include <assert.h>
#include <errno.h>

#include "lib/base/macro.h"
#include "lib/base/table.h"

static const char *const state_names[_STEP_STATE_MAX] = {
	[STEP_STATE_HELLO] = "hello",         [STEP_STATE_SETUP] = "setup",
	[STEP_STATE_RUNNING] = "running",     [STEP_STATE_STOPPING] = "stopping",
	[STEP_STATE_UPLOADING] = "uploading", [STEP_STATE_FINISHING] = "finishing",
	[STEP_STATE_ENDING] = "ending",
};

static const char *const cause_names[_STEP_CAUSE_MAX] = {
	[STEP_CAUSE_NONE] = "",
	[STEP_CAUSE_CRASH] = "crash",
	[STEP_CAUSE_TIMEOUT] = MESSAGE_CAUSE_TIMEOUT,
	[STEP_CAUSE_CANCELLED] = "cancelled",
	[STEP_CAUSE_NO_JOB] = "no_job",
	[STEP_CAUSE_START_FAILED] = "start_failed",
	[STEP_CAUSE_AGENT_RESTART] = "agent_restart",
	[STEP_CAUSE_UNKILLABLE] = "unkillable",
};

const char *step_state_to_name(int state)
{
	const char *name = table_name(state_names, ARRAY_SIZE(state_names), state);

	return name ? name : "?";
}

const char *step_cause_to_name(int cause)
{
	const char *name = table_name(cause_names, ARRAY_SIZE(cause_names), cause);

	return name ? name : "?";
}

void step_init(struct step *s, uint64_t seed, bool was_started, usec_t now)
{
	*s = (struct step){
		.state = STEP_STATE_HELLO,
		.begin = now,
		.was_started = was_started,
		.backoff = { .base = USEC_PER_SEC, .cap = 30 * USEC_PER_SEC },
		.heartbeat_at = USEC_INFINITY,
		.deadline = USEC_INFINITY,
		.kill_at = USEC_INFINITY,
		.finish_by = USEC_INFINITY,
		.end_at = USEC_INFINITY,
		.verdict = MESSAGE_VERDICT_FAIL,
		.exit_code = -1,
		.end = STEP_END_REBOOT,
	};
	rng_init(&s->rng, seed);
}

/* ------------------------------------------------------------------------- moves */

static void tell_stage(struct step *s, enum message_stage stage)
{
	s->stages |= 1U << stage;
}

static void plan_heartbeat(struct step *s, usec_t now)
{
	usec_t period = STEP_HEARTBEAT_MAX;

	if (s->lease_sec > 0)
		period = usec_min(period, s->lease_sec * USEC_PER_SEC / 2);
	s->heartbeat_at = usec_add(now, rng_between(&s->rng, period / 2, period));
}

static void go_ending(struct step *s, enum step_end end, usec_t at)
{
	s->state = STEP_STATE_ENDING;
	s->end = s->is_stopped ? STEP_END_EXIT : end;
	s->end_at = at;
	s->end_wanted = true;
	s->stages = 0;
}

static void go_uploading(struct step *s, usec_t now)
{
	s->term_wanted = s->kill_wanted = false;
	if (s->is_fenced || s->is_stopped) {
		go_ending(s, s->end, now);
		return;
	}
	s->state = STEP_STATE_UPLOADING;
	s->kill_at = USEC_INFINITY;
	s->finish_by = usec_add(now, STEP_UPLOAD_IDLE);
	s->collect_wanted = true;
	tell_stage(s, MESSAGE_STAGE_UPLOADING);
}

static void go_finishing(struct step *s, usec_t now)
{
	s->state = STEP_STATE_FINISHING;
	s->finish_by = usec_add(now, STEP_FINISH_MAX);
}

/* Ends the job's processes: TERM now, KILL after the grace. */
static void stop_job(struct step *s, usec_t grace, usec_t now)
{
	usec_t kill_at = usec_add(now, grace);

	if (s->state == STEP_STATE_STOPPING) { /* only ever sooner */
		if (!s->was_killed)
			s->kill_at = usec_min(s->kill_at, kill_at);
		return;
	}
	s->state = STEP_STATE_STOPPING;
	s->deadline = USEC_INFINITY;
	s->kill_at = kill_at;
	s->term_wanted = grace > 0;
}

static void set_cause(struct step *s, enum step_cause cause)
{
	if (s->cause == STEP_CAUSE_NONE && !s->has_exited) {
		s->cause = cause;
		s->verdict = MESSAGE_VERDICT_FAIL;
	}
}

static void fence(struct step *s, usec_t now)
{
	s->is_fenced = true;
	s->stages = 0;
	s->heartbeat_at = USEC_INFINITY;
	s->end = STEP_END_REBOOT;
	switch (s->state) {
	case STEP_STATE_SETUP:
	case STEP_STATE_RUNNING:
	case STEP_STATE_STOPPING:
		stop_job(s, 0, now); /* the machine may be somebody else's: no grace */
		return;
	case STEP_STATE_UPLOADING:
		s->give_up_wanted = true;
		go_ending(s, STEP_END_REBOOT, now);
		return;
	case STEP_STATE_HELLO:
		go_ending(s, STEP_END_REBOOT,
		          usec_add(now,
		                   rng_between(&s->rng, STEP_REFUSED_WAIT / 2, STEP_REFUSED_WAIT)));
		return;
	case STEP_STATE_FINISHING:
		go_ending(s, STEP_END_REBOOT, now);
		return;
	case STEP_STATE_ENDING:
	case _STEP_STATE_MAX:
		return;
	}
}

/* ------------------------------------------------------------------------- answers */

static void take_body(struct step *s, const struct message_answer *body, usec_t now)
{
	bool has_job = s->state == STEP_STATE_SETUP || s->state == STEP_STATE_RUNNING;

	if (body->lease_sec > 0)
		s->lease_sec = body->lease_sec;
	if (body->next >= 0)
		s->end = body->next == JOB_NEXT_POWEROFF ? STEP_END_POWEROFF : STEP_END_REBOOT;
	if (body->has_deadline && has_job)
		s->deadline = usec_add(now, body->deadline_sec * USEC_PER_SEC);
	if (body->cancel && has_job) {
		set_cause(s, STEP_CAUSE_CANCELLED);
		stop_job(s, STEP_GRACE_CANCEL, now);
	}
}

static void call_failed(struct step *s, uint32_t retry_after_sec, usec_t now)
{
	usec_t wait = backoff_next(&s->backoff, &s->rng);

	/* the network may be seconds from being there, and the boot waits for us */
	if (s->state == STEP_STATE_HELLO && now - s->begin < STEP_EAGER) {
		backoff_reset(&s->backoff);
		wait = rng_between(&s->rng, USEC_PER_SEC / 4, USEC_PER_SEC);
	}
	wait = MAX(wait, usec_min(retry_after_sec * USEC_PER_SEC, s->backoff.cap));
	s->call_at = usec_add(now, wait);
	s->has_failed = true;
}

static void hello_answered(struct step *s, unsigned status, const struct message_answer *body,
                           uint32_t retry_after_sec, usec_t now)
{
	if (status == 401 || status == 403 || status == 404 || status == 410) {
		fence(s, now);
		return;
	}
	if (status != 200 || !body) { /* without a body we cannot know what was agreed */
		call_failed(s, retry_after_sec, now);
		return;
	}
	backoff_reset(&s->backoff);
	s->has_failed = false;
	s->state = STEP_STATE_SETUP;
	tell_stage(s, MESSAGE_STAGE_SETUP);
	take_body(s, body, now);
	plan_heartbeat(s, now);
	if (s->was_started && s->state == STEP_STATE_SETUP) {
		set_cause(s, STEP_CAUSE_AGENT_RESTART);
		stop_job(s, 0, now);
	} else if (s->cause == STEP_CAUSE_CANCELLED) {
		go_uploading(s, now); /* nothing has been started */
	}
}

static void finish_answered(struct step *s, unsigned status, const struct message_answer *body,
                            uint32_t retry_after_sec, usec_t now)
{
	if (status >= 200 && status < 300) {
		if (body)
			take_body(s, body, now);
		go_ending(s, s->end, now);
	} else if (status == 401 || status == 410) {
		fence(s, now);
	} else if (status == 400 || status == 409 || status == 413 || status == 422) {
		go_ending(s, s->end, now); /* said again it would be no better */
	} else {
		call_failed(s, retry_after_sec, now);
	}
}

/* Of stage and heartbeat. */
static void report_answered(struct step *s, unsigned status, const struct message_answer *body,
                            uint32_t retry_after_sec, usec_t now)
{
	bool understood = status != 400 && status != 405 && status != 422 && status != 501;

	if (status == 401 || status == 410) {
		fence(s, now);
		return;
	}
	if (understood && (status < 200 || status >= 300)) {
		call_failed(s, retry_after_sec, now);
		return;
	}
	backoff_reset(&s->backoff);
	s->has_failed = false;
	if (s->call == STEP_CALL_STAGE) /* earlier ones are implied */
		s->stages &= ~((2U << s->call_stage) - 1);
	if (body)
		take_body(s, body, now);
	plan_heartbeat(s, now);
}

void step_answered(struct step *s, unsigned status, const struct message_answer *body,
                   uint32_t retry_after_sec, usec_t now)
{
	assert(s->is_calling);
	s->is_calling = false;
	s->call_at = now;
	if (s->state == STEP_STATE_ENDING)
		return;
	switch (s->call) {
	case STEP_CALL_HELLO:
		hello_answered(s, status, body, retry_after_sec, now);
		return;
	case STEP_CALL_FINISH:
		finish_answered(s, status, body, retry_after_sec, now);
		return;
	case STEP_CALL_STAGE:
	case STEP_CALL_HEARTBEAT:
		if (!s->is_fenced)
			report_answered(s, status, body, retry_after_sec, now);
		return;
	}
}

/* ------------------------------------------------------------------------- events */

void step_started(struct step *s, int r, usec_t now)
{
	if (r < 0) {
		set_cause(s, r == -ENOENT ? STEP_CAUSE_NO_JOB : STEP_CAUSE_START_FAILED);
		s->has_exited = true;
		if (s->state == STEP_STATE_SETUP || s->state == STEP_STATE_STOPPING)
			go_uploading(s, now);
		return;
	}
	if (s->state != STEP_STATE_SETUP) {
		s->term_wanted = s->state == STEP_STATE_STOPPING; /* stopped while it started */
		return;
	}
	s->state = STEP_STATE_RUNNING;
	tell_stage(s, MESSAGE_STAGE_RUNNING);
}

void step_exited(struct step *s, int code, usec_t now)
{
	if (s->has_exited || (s->state != STEP_STATE_SETUP && s->state != STEP_STATE_RUNNING &&
	                      s->state != STEP_STATE_STOPPING))
		return;
	s->exit_code = code;
	if (s->cause == STEP_CAUSE_NONE) {
		s->cause = code < 0 ? STEP_CAUSE_CRASH : STEP_CAUSE_NONE;
		s->verdict = code == 0 ? MESSAGE_VERDICT_PASS : MESSAGE_VERDICT_FAIL;
	}
	s->has_exited = true;
	if (s->is_fenced)
		return;
	tell_stage(s, MESSAGE_STAGE_POST);
	stop_job(s, STEP_GRACE_LEFTOVER, now);
}

void step_emptied(struct step *s, usec_t now)
{
	if (s->state == STEP_STATE_STOPPING)
		go_uploading(s, now);
}

void step_progressed(struct step *s, usec_t now)
{
	if (s->state == STEP_STATE_UPLOADING)
		s->finish_by = usec_add(now, STEP_UPLOAD_IDLE);
}

void step_uploaded(struct step *s, usec_t now)
{
	if (s->state == STEP_STATE_UPLOADING)
		go_finishing(s, now);
}

void step_fenced(struct step *s, usec_t now)
{
	fence(s, now);
}

void step_stop(struct step *s, usec_t now)
{
	s->is_stopped = true;
	switch (s->state) {
	case STEP_STATE_SETUP:
		if (!s->start_asked) {
			go_ending(s, STEP_END_EXIT, now);
			return;
		}
		stop_job(s, STEP_GRACE_LEFTOVER, now);
		return;
	case STEP_STATE_RUNNING:
	case STEP_STATE_STOPPING:
		stop_job(s, STEP_GRACE_LEFTOVER, now);
		return;
	case STEP_STATE_HELLO:
	case STEP_STATE_UPLOADING:
	case STEP_STATE_FINISHING:
	case STEP_STATE_ENDING:
	case _STEP_STATE_MAX:
		go_ending(s, STEP_END_EXIT, now);
		return;
	}
}

/* ------------------------------------------------------------------------- what next */

/* The call that is due when the channel is free; false when there is none. */
static bool next_call(const struct step *s, enum step_call *ret_call, enum message_stage *ret_stage,
                      usec_t *ret_at)
{
	if (s->is_calling || s->is_fenced || s->is_stopped || s->state == STEP_STATE_ENDING)
		return false;
	*ret_at = s->call_at;
	if (s->state == STEP_STATE_HELLO) {
		*ret_call = STEP_CALL_HELLO;
	} else if (s->state == STEP_STATE_FINISHING && (s->stages == 0 || s->has_failed)) {
		*ret_call = STEP_CALL_FINISH; /* implies what could not be told */
	} else if (s->stages != 0) {
		unsigned low = (unsigned)__builtin_ctz(s->stages);
		unsigned high = 31U - (unsigned)__builtin_clz(s->stages);

		*ret_call = STEP_CALL_STAGE;
		*ret_stage = (enum message_stage)(s->has_failed ? high : low);
	} else {
		*ret_call = STEP_CALL_HEARTBEAT;
		*ret_at = MAX(*ret_at, s->heartbeat_at);
	}
	return true;
}

/* What time alone brings about. */
static void pass_time(struct step *s, usec_t now)
{
	if (now >= s->deadline &&
	    (s->state == STEP_STATE_SETUP || s->state == STEP_STATE_RUNNING) && s->start_asked) {
		set_cause(s, STEP_CAUSE_TIMEOUT);
		stop_job(s, STEP_GRACE_TIMEOUT, now);
	}
	if (s->state == STEP_STATE_STOPPING && now >= s->kill_at) {
		if (!s->was_killed) {
			s->was_killed = true;
			s->term_wanted = false;
			s->kill_wanted = true;
			s->kill_at = usec_add(now, STEP_UNKILLABLE);
		} else {
			set_cause(s, STEP_CAUSE_UNKILLABLE);
			go_uploading(s, now);
		}
	}
	if (s->state == STEP_STATE_UPLOADING && now >= s->finish_by) {
		s->give_up_wanted = true;
		go_finishing(s, now);
	}
	if (s->state == STEP_STATE_FINISHING && now >= s->finish_by)
		go_ending(s, s->end, now);
}

static bool take(bool *flag)
{
	bool was = *flag;

	*flag = false;
	return was;
}

enum step_want step_next(struct step *s, usec_t now)
{
	enum message_stage stage = MESSAGE_STAGE_SETUP;
	enum step_call call;
	usec_t at;

	pass_time(s, now);
	if (take(&s->kill_wanted))
		return STEP_WANT_KILL;
	if (take(&s->term_wanted))
		return STEP_WANT_TERM;
	if (s->state == STEP_STATE_SETUP && !s->start_asked) {
		s->start_asked = true;
		return STEP_WANT_START;
	}
	if (take(&s->give_up_wanted))
		return STEP_WANT_GIVE_UP;
	if (take(&s->collect_wanted) && s->state == STEP_STATE_UPLOADING)
		return STEP_WANT_COLLECT;
	if (s->state == STEP_STATE_ENDING && now >= s->end_at && take(&s->end_wanted))
		return STEP_WANT_END;
	if (next_call(s, &call, &stage, &at) && now >= at) {
		s->is_calling = true;
		s->call = call;
		s->call_stage = stage;
		return STEP_WANT_CALL;
	}
	return STEP_WANT_WAIT;
}

usec_t step_deadline(const struct step *s)
{
	usec_t deadline = USEC_INFINITY, at = USEC_INFINITY;
	enum message_stage stage;
	enum step_call call;

	if (next_call(s, &call, &stage, &at))
		deadline = at;
	switch (s->state) {
	case STEP_STATE_SETUP:
	case STEP_STATE_RUNNING:
		return usec_min(deadline, s->deadline);
	case STEP_STATE_STOPPING:
		return usec_min(deadline, s->kill_at);
	case STEP_STATE_UPLOADING:
	case STEP_STATE_FINISHING:
		return usec_min(deadline, s->finish_by);
	case STEP_STATE_ENDING:
		return s->end_wanted ? s->end_at : USEC_INFINITY;
	case STEP_STATE_HELLO:
	case _STEP_STATE_MAX:
		return deadline;
	}
	return deadline;
}

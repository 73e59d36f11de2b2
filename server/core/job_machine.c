/* SPDX-License-Identifier: MulanPSL-2.0 */
/*
 * The table of a job's moves, and the judgement on the end of an attempt.
 */
#include "server/core/job_machine.h"

#include "lib/base/macro.h"
#include "lib/base/table.h"

static const char *const states[_JOB_STATE_MAX] = {
	[JOB_WAITING] = "waiting",   [JOB_QUEUED] = "queued",       [JOB_ACTIVE] = "active",
	[JOB_FINISHED] = "finished", [JOB_CANCELLED] = "cancelled", [JOB_TIMEOUT] = "timeout",
	[JOB_ERROR] = "error",       [JOB_EXPIRED] = "expired",     [JOB_SKIPPED] = "skipped",
};

static const char *const events[_JOB_EVENT_MAX] = {
	[JOB_EVENT_READY] = "ready",     [JOB_EVENT_BLOCK] = "block",
	[JOB_EVENT_CLAIM] = "claim",     [JOB_EVENT_REQUEUE] = "requeue",
	[JOB_EVENT_FINISH] = "finish",   [JOB_EVENT_CANCEL] = "cancel",
	[JOB_EVENT_TIMEOUT] = "timeout", [JOB_EVENT_GIVE_UP] = "give_up",
	[JOB_EVENT_EXPIRE] = "expire",   [JOB_EVENT_SKIP] = "skip",
	[JOB_EVENT_HOLD] = "hold",
};

static const char *const verdicts[_JOB_VERDICT_MAX] = {
	[JOB_PASS] = "pass",
	[JOB_FAIL] = "fail",
	[JOB_SKIP] = "skip",
};

static const struct machine_move moves[] = {
	{ JOB_WAITING, JOB_EVENT_READY, JOB_QUEUED },
	{ JOB_QUEUED, JOB_EVENT_BLOCK, JOB_WAITING },
	{ JOB_QUEUED, JOB_EVENT_CLAIM, JOB_ACTIVE },
	{ JOB_ACTIVE, JOB_EVENT_REQUEUE, JOB_QUEUED },
	{ JOB_ACTIVE, JOB_EVENT_HOLD, JOB_WAITING },
	{ JOB_ACTIVE, JOB_EVENT_FINISH, JOB_FINISHED },
	{ JOB_ACTIVE, JOB_EVENT_TIMEOUT, JOB_TIMEOUT },
	{ JOB_ACTIVE, JOB_EVENT_GIVE_UP, JOB_ERROR },
	{ JOB_WAITING, JOB_EVENT_GIVE_UP, JOB_ERROR }, /* held, and nobody came */
	{ MACHINE_ANY, JOB_EVENT_CANCEL, JOB_CANCELLED },
	{ JOB_WAITING, JOB_EVENT_EXPIRE, JOB_EXPIRED },
	{ JOB_QUEUED, JOB_EVENT_EXPIRE, JOB_EXPIRED },
	{ JOB_WAITING, JOB_EVENT_SKIP, JOB_SKIPPED },
};

bool job_state_is_final(int state)
{
	return state >= JOB_FINISHED;
}

const struct machine job_machine = {
	.name = "job",
	.state_names = states,
	.n_states = ARRAY_SIZE(states),
	.event_names = events,
	.n_events = ARRAY_SIZE(events),
	.moves = moves,
	.n_moves = ARRAY_SIZE(moves),
	.is_final = job_state_is_final,
};

DEFINE_NAME_TABLE(job_state, states);
DEFINE_NAME_TABLE(job_verdict, verdicts);

static usec_t back_off(unsigned n_before)
{
	usec_t length = JOB_BACK_OFF_FIRST;

	for (unsigned i = 0; i < n_before && length < JOB_BACK_OFF_MAX; i++)
		length *= 2;
	return usec_min(length, JOB_BACK_OFF_MAX);
}

static struct job_judgement judge_infra(const struct job_judge_facts *facts)
{
	if (facts->n_failed_hosts >= JOB_POISON_HOSTS)
		return (struct job_judgement){ .event = JOB_EVENT_HOLD, .charge = true };
	if (facts->tries + 1 >= facts->max_tries)
		return (struct job_judgement){ .event = JOB_EVENT_GIVE_UP, .charge = true };
	return (struct job_judgement){
		.event = JOB_EVENT_REQUEUE,
		.charge = true,
		.back_off = back_off(facts->tries),
	};
}

struct job_judgement job_judge(const struct job_judge_facts *facts)
{
	switch (facts->ended) {
	case ATTEMPT_DONE:
		if (facts->ran_out)
			return (struct job_judgement){ .event = JOB_EVENT_TIMEOUT };
		if (facts->verdict == JOB_VERDICT_NONE)
			return judge_infra(facts);
		return (struct job_judgement){ .event = JOB_EVENT_FINISH };
	case ATTEMPT_CANCELLED:
		return (struct job_judgement){ .event = JOB_EVENT_CANCEL };
	case ATTEMPT_TIMEOUT:
		return (struct job_judgement){ .event = JOB_EVENT_TIMEOUT };
	case ATTEMPT_LOST_OFFER:
		if (facts->lost_offers < JOB_LOST_OFFERS_MAX)
			return (struct job_judgement){ .event = JOB_EVENT_REQUEUE,
				                       .lost_offer = true };
		return judge_infra(facts);
	case ATTEMPT_INFRA:
		return judge_infra(facts);
	case ATTEMPT_OFFERED:
	case ATTEMPT_LOADING:
	case ATTEMPT_BOOTING:
	case ATTEMPT_SETUP:
	case ATTEMPT_RUNNING:
	case ATTEMPT_REBOOTING:
	case ATTEMPT_CRASHED:
	case ATTEMPT_UPLOADING:
	case ATTEMPT_CANCELLING:
	case _ATTEMPT_STATE_MAX:
		break;
	}
	assert(false); /* an attempt that has not ended is not judged */
	return (struct job_judgement){ .event = JOB_EVENT_GIVE_UP };
}

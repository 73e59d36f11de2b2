/* SPDX-License-Identifier: MulanPSL-2.0 */
/*
 * The table of lengths.
 */
#include "server/core/deadlines.h"

#include "lib/base/macro.h"

static const usec_t lengths[_ATTEMPT_STATE_MAX] = {
	[ATTEMPT_OFFERED] = 120 * USEC_PER_SEC, /* until the first file is asked for */
	[ATTEMPT_LOADING] = 600 * USEC_PER_SEC, /* since the last file that came whole */
	[ATTEMPT_BOOTING] = 3600 * USEC_PER_SEC,
	[ATTEMPT_SETUP] = 1800 * USEC_PER_SEC + RUN_MARGIN,
	[ATTEMPT_REBOOTING] = REBOOT_LENGTH_MAX,
	[ATTEMPT_CRASHED] = 1800 * USEC_PER_SEC,   /* a core dump is large */
	[ATTEMPT_UPLOADING] = 1800 * USEC_PER_SEC, /* since the last byte of progress */
	/* 60 s of TERM, 10 s of KILL, 120 s for power to be cut, as the agent and a lab need */
	[ATTEMPT_CANCELLING] = 190 * USEC_PER_SEC,
};

usec_t deadline_of_state(enum attempt_state state, usec_t run_limit)
{
	if (attempt_state_is_final(state))
		return USEC_INFINITY;
	if (state == ATTEMPT_RUNNING)
		return usec_add(run_limit, RUN_MARGIN);
	return lengths[state];
}

usec_t deadline_of_attempt(const struct attempt *attempt)
{
	if (attempt->state_limit > 0 && attempt->state != ATTEMPT_RUNNING &&
	    !attempt_state_is_final(attempt->state))
		return attempt->state_limit;
	return deadline_of_state(attempt->state, attempt->run_limit);
}

/* What a state that is learned lasts at least: an image may come to many machines at once. */
static usec_t shortest(enum attempt_state state)
{
	if (state == ATTEMPT_LOADING)
		return 300 * USEC_PER_SEC;
	return state == ATTEMPT_BOOTING ? 120 * USEC_PER_SEC : 0;
}

bool deadline_is_learned(enum attempt_state state)
{
	return shortest(state) > 0;
}

usec_t deadline_learn(enum attempt_state state, unsigned n_samples, usec_t p99)
{
	usec_t table = deadline_of_state(state, 0);

	if (!deadline_is_learned(state) || n_samples < DEADLINE_SAMPLES_MIN)
		return table;
	return MAX(shortest(state), usec_min(usec_add(p99, p99), 2 * table));
}

void deadline_set(struct attempt *attempt, usec_t steady, usec_t limit)
{
	limit = usec_min(limit, RUN_LENGTH_MAX);
	if (attempt->state == ATTEMPT_RUNNING) {
		attempt->run_limit = MAX(attempt->run_limit, limit);
		attempt->run_until_steady = usec_add(steady, limit);
		attempt->deadline_steady = usec_add(attempt->run_until_steady, RUN_MARGIN);
		return;
	}
	attempt->state_limit = limit;
	attempt->deadline_steady = usec_add(steady, limit);
}

/* SPDX-License-Identifier: MulanPSL-2.0 */
/*
 * The table of lengths.
 */
#include "server/core/deadlines.h"

static const usec_t lengths[_ATTEMPT_STATE_MAX] = {
	[ATTEMPT_OFFERED] = 120 * USEC_PER_SEC, /* until the first file is asked for */
	[ATTEMPT_LOADING] = 600 * USEC_PER_SEC, /* since the last file that came whole */
	[ATTEMPT_BOOTING] = 600 * USEC_PER_SEC,
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

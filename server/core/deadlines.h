/* SPDX-License-Identifier: MulanPSL-2.0 */
/*
 * How long a state may last (state-machines.md 2.5).
 */
#pragma once

#include "lib/base/usec.h"
#include "server/core/attempt_machine.h"

/* An agent that says nothing for this long is silent; it is asked to speak well before. */
#define LEASE_LENGTH (60 * USEC_PER_SEC)

/*
 * The agent ends the job's code by itself; the server waits this much longer for it to say so.
 * Holds in every state where that code may run: what the server gives up then runs nowhere (S7).
 */
#define RUN_MARGIN (60 * USEC_PER_SEC)

/* The longest that a run may become by being renewed. */
#define RUN_LENGTH_MAX (UINT64_C(365) * 24 * 60 * USEC_PER_MINUTE)

/* The longest that a machine may announce to be away. */
#define REBOOT_LENGTH_MAX (1200 * USEC_PER_SEC)

/* A job nobody took. Long: labs are full over a weekend. */
#define QUEUE_LENGTH (30 * 24 * 60 * USEC_PER_MINUTE)

/* What an open attempt keeps at least when ccid starts again: its machine retries. */
#define RESTART_GRACE (60 * USEC_PER_SEC)

/*
 * How long an attempt may stay in that state, the margin included; run_limit is its own: that of
 * its job and what was added to it. A final state has USEC_INFINITY.
 */
usec_t deadline_of_state(enum attempt_state state, usec_t run_limit);

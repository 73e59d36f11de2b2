/* SPDX-License-Identifier: MulanPSL-2.0 */
/*
 * How long a state may last (state-machines.md 2.5).
 */
#pragma once

#include "lib/base/usec.h"
#include "server/core/attempt_machine.h"

/* An agent that says nothing for this long is silent; it is asked to speak well before. */
#define LEASE_LENGTH (60 * USEC_PER_SEC)

/* The agent ends a run by itself; the server waits this much longer for it to say so. */
#define RUN_MARGIN (60 * USEC_PER_SEC)

/* A job nobody took. Long: labs are full over a weekend. */
#define QUEUE_LENGTH (30 * 24 * 60 * USEC_PER_MINUTE)

/* What an open attempt keeps at least when ccid starts again: its machine retries. */
#define RESTART_GRACE (60 * USEC_PER_SEC)

/*
 * How long an attempt may stay in that state; run_limit is that of its job. A final state has
 * USEC_INFINITY.
 */
usec_t deadline_of_state(enum attempt_state state, usec_t run_limit);

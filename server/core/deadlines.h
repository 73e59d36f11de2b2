/* SPDX-License-Identifier: MulanPSL-2.0 */
/*
 * How long a state may last: Compass-CI's table (compass-ci-protocol.md 3.4) where it has the
 * stage, and what a host's own history says of how long its boots take.
 */
#pragma once

#include "lib/base/usec.h"
#include "server/core/attempt.h"
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

/* While a person looks at the machine: words manual_check and on_fail of Compass-CI's clients. */
#define CHECK_LENGTH (36000 * USEC_PER_SEC)

/* A job nobody took. Long: labs are full over a weekend. */
#define QUEUE_LENGTH (30 * 24 * 60 * USEC_PER_MINUTE)

/* What an open attempt keeps at least when ccid starts again: its machine retries. */
#define RESTART_GRACE (60 * USEC_PER_SEC)

/*
 * How long an attempt may stay in that state, the margin included; run_limit is its own: that of
 * its job and what was added to it. A final state has USEC_INFINITY.
 */
usec_t deadline_of_state(enum attempt_state state, usec_t run_limit);

/* The same of this attempt, with what was learned or said of its present state. */
usec_t deadline_of_attempt(const struct attempt *attempt);

/* So many boots are remembered of a host, and so many it takes to believe them. */
#define DEADLINE_SAMPLES_MAX 100
#define DEADLINE_SAMPLES_MIN 5

/* Whether it is learned how long that state takes. */
bool deadline_is_learned(enum attempt_state state);

/*
 * How long that state may last on a host where n_samples of it are known (at most
 * DEADLINE_SAMPLES_MAX) and 99 % of them took at most p99: twice that, within bounds: a machine
 * that is usually quick gets time for a slow disk, one that is slow gets twice the table at most.
 * With too few samples, what deadline_of_state says.
 */
usec_t deadline_learn(enum attempt_state state, unsigned n_samples, usec_t p99);

/*
 * The state may last `limit` from now on; a run counts from now, whatever of it was used. Bounded
 * by RUN_LENGTH_MAX.
 */
void deadline_set(struct attempt *attempt, usec_t steady, usec_t limit);

/* SPDX-License-Identifier: MulanPSL-2.0 */
/*
 * What each word of Compass-CI's clients means to us: job_state and job_health strings
 * (compass-ci-protocol.md 7.7, 3.5) as an event of the attempt, a verdict and a cause.
 */
#pragma once

#include "lib/base/usec.h"
#include "server/core/job_machine.h"

struct compass_word {
	const char *word;
	bool moves;               /* it tells a stage: */
	enum attempt_event event; /* when moves */
	enum job_verdict verdict; /* NONE: it says nothing about that */
	const char *cause;        /* or NULL */
	bool is_infra;            /* not the job's fault: tried again */
	usec_t limit;             /* how long the stage may last; 0: as its state */
};

/*
 * The meaning of a word, in any case; unknown words and those with a part after ':' or digits are
 * taken by their beginning ("error:proxy"), else NULL: recorded, without effect.
 */
const struct compass_word *compass_word_find(struct slice word);

/*
 * Whether an attempt in that state is at the stage that the word tells, so that a time said with
 * the word is about it. A person looks at a failure while the job runs, or after its results were
 * sent.
 */
bool compass_word_is_at(const struct compass_word *word, enum attempt_state state);

/* The job_state Compass-CI would show for one of our states. */
const char *compass_state_of(enum job_state state, enum job_verdict verdict);

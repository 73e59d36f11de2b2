/* SPDX-License-Identifier: MulanPSL-2.0 */
/*
 * Who is to blame when infrastructure fails a job: the host or the job (state-machines.md 2.6).
 */
#pragma once

#include <stdbool.h>

#include "lib/base/usec.h"
#include "server/core/host_machine.h"
#include "server/core/job_machine.h"

/* Jobs that failed on a host and got their verdict on another, within BLAME_SPAN: it is broken. */
#define BLAME_JOBS 3
#define BLAME_SPAN (24 * 60 * USEC_PER_MINUTE)

/* Health jobs that must pass in a row before a quarantine ends by itself. */
#define BLAME_CHECKS 2

/* What is known when an attempt has ended on a host. */
struct blame_facts {
	enum attempt_state ended; /* a final state */
	enum job_verdict verdict; /* with ATTEMPT_DONE */
	enum job_kind kind;
	bool is_poison;      /* the job was held by this: it is to blame, not its hosts */
	bool has_health_job; /* there is one to be had */
	unsigned flags;      /* of the host */
	unsigned checks_passed;
	unsigned n_bad_jobs; /* attempt_store_count_bad_jobs */
};

struct blame {
	unsigned set, clear; /* flags of the host */
	unsigned checks_passed;
	bool wants_check;   /* a health job is to be made for the host */
	const char *reason; /* of the flags set; NULL: none is set */
};

/*
 * Decides what the end of an attempt says about its host. A failed test says nothing about it
 * (S10); nor does an offer that nobody took, or a cancelled job. Pure.
 */
struct blame blame_decide(const struct blame_facts *facts);

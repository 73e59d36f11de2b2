/* SPDX-License-Identifier: MulanPSL-2.0 */
/*
 * Which of several jobs a host gets.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/base/usec.h"

struct sched_candidate {
	int64_t job;
	int64_t priority; /* higher goes first */
	usec_t submitted_wall;
	bool is_refused; /* does not match, or misses something */
};

/* Waiting this long lifts a job by one priority: nothing starves (L4). */
#define SCHED_AGE_STEP (30 * USEC_PER_MINUTE)

/*
 * The candidate with the highest aged priority; of equals the one with the lowest id.
 * Returns its index, or -1 when all are refused. Pure.
 */
int sched_decide(const struct sched_candidate *candidates, size_t n, usec_t wall);

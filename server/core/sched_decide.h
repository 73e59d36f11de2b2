/* SPDX-License-Identifier: MulanPSL-2.0 */
/*
 * Which of several jobs a host gets: fair between those who submit, and nobody waits for ever.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/base/usec.h"

/* The next job of one lane: of one submitter, among those that want the same machine. */
struct sched_candidate {
	int64_t job;
	int64_t priority; /* higher goes first */
	int64_t rank;     /* sched_rank of it */
	uint64_t used;    /* what its submitter has had lately (core/share) */
	bool is_idle;     /* only for machines that would have nothing to do */
	bool is_refused;  /* does not match, or misses something */
};

/* Waiting this long counts as much as one priority. */
#define SCHED_AGE_STEP (30 * USEC_PER_MINUTE)

/* Each offer of that number goes by rank alone. */
#define SCHED_AGED_TURN 4

/*
 * Where a job stands when only age and priority count: the lower the earlier. It never changes, so
 * that an index keeps the order, and only finitely many jobs can ever come before a given one.
 */
int64_t sched_rank(usec_t submitted_steady, int64_t priority);

/*
 * Three of four turns: the highest priority, of those the submitter who has had least lately, then
 * the lowest rank. Each fourth turn: the lowest rank of all, so that every job's turn comes (L4).
 * Idle jobs only when there is no other. `turn` counts offers.
 * Returns its index, or -1 when all are refused. Pure.
 */
int sched_decide(const struct sched_candidate *candidates, size_t n, uint64_t turn);

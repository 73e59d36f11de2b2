/* SPDX-License-Identifier: MulanPSL-2.0 */
/*
 * Priority, shares and age.
 */
#include "server/core/sched_decide.h"

int64_t sched_rank(usec_t submitted_steady, int64_t priority)
{
	return (int64_t)submitted_steady - priority * (int64_t)SCHED_AGE_STEP;
}

static bool ranks_before(const struct sched_candidate *a, const struct sched_candidate *b)
{
	return a->rank != b->rank ? a->rank < b->rank : a->job < b->job;
}

static bool goes_before(const struct sched_candidate *a, const struct sched_candidate *b,
                        bool is_aged_turn)
{
	if (a->is_idle != b->is_idle)
		return b->is_idle;
	if (is_aged_turn)
		return ranks_before(a, b);
	if (a->priority != b->priority)
		return a->priority > b->priority;
	if (a->used != b->used)
		return a->used < b->used;
	return ranks_before(a, b);
}

int sched_decide(const struct sched_candidate *candidates, size_t n, uint64_t turn)
{
	bool is_aged_turn = turn % SCHED_AGED_TURN == SCHED_AGED_TURN - 1;
	int best = -1;

	for (size_t i = 0; i < n; i++) {
		if (candidates[i].is_refused)
			continue;
		if (best < 0 || goes_before(&candidates[i], &candidates[best], is_aged_turn))
			best = (int)i;
	}
	return best;
}

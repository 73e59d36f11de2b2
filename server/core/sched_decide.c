/* SPDX-License-Identifier: MulanPSL-2.0 */
/*
 * Priority with age.
 */
#include "server/core/sched_decide.h"

static int64_t aged_priority(const struct sched_candidate *c, usec_t wall)
{
	return c->priority + (int64_t)(usec_sub(wall, c->submitted_wall) / SCHED_AGE_STEP);
}

static bool goes_before(const struct sched_candidate *a, const struct sched_candidate *b,
                        usec_t wall)
{
	int64_t pa = aged_priority(a, wall), pb = aged_priority(b, wall);

	return pa != pb ? pa > pb : a->job < b->job;
}

int sched_decide(const struct sched_candidate *candidates, size_t n, usec_t wall)
{
	int best = -1;

	for (size_t i = 0; i < n; i++) {
		if (candidates[i].is_refused)
			continue;
		if (best < 0 || goes_before(&candidates[i], &candidates[best], wall))
			best = (int)i;
	}
	return best;
}

/* SPDX-License-Identifier: MulanPSL-2.0 */
#include "agent/backoff.h"

usec_t backoff_next(struct backoff *b, struct rng *rng)
{
	usec_t ceiling = b->base;

	for (unsigned i = 0; i < b->n_failed && ceiling < b->cap; i++)
		ceiling *= 2;
	ceiling = usec_min(ceiling, b->cap);
	if (b->n_failed < 32)
		b->n_failed++;
	return rng_between(rng, ceiling / 4, ceiling);
}

/* SPDX-License-Identifier: MulanPSL-2.0 */
#include "cli/retry.h"

void retry_init(struct retry *retry, usec_t patience, usec_t now)
{
	*retry = (struct retry){ .patience = patience, .last_alive = now };
}

void retry_alive(struct retry *retry, usec_t now)
{
	retry->last_alive = now;
	retry->n_failed = 0;
}

usec_t retry_failed(struct retry *retry, struct rng *rng, usec_t now)
{
	usec_t end = usec_add(retry->last_alive, retry->patience);
	usec_t delay = RETRY_MAX;

	if (now >= end)
		return USEC_INFINITY;
	if (retry->n_failed < 5 && RETRY_FIRST << retry->n_failed < RETRY_MAX)
		delay = RETRY_FIRST << retry->n_failed;
	retry->n_failed++;
	delay += rng_between(rng, 0, delay / 4);
	return usec_min(usec_add(now, delay), end);
}

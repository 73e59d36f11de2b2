/* SPDX-License-Identifier: MulanPSL-2.0 */
/*
 * How long to wait before trying again: exponential with full jitter, so that a lab that lost its
 * server does not come back to it as one. Pure.
 */
#pragma once

#include "lib/base/rng.h"
#include "lib/base/usec.h"

struct backoff {
	usec_t base, cap; /* first and largest ceiling; base > 0 */
	unsigned n_failed;
};

/* The wait after one more failure: between a quarter of the ceiling and the ceiling, which doubles
 * from base to cap. */
usec_t backoff_next(struct backoff *b, struct rng *rng);

/* Something worked: the next failure starts from base again. */
static inline void backoff_reset(struct backoff *b)
{
	b->n_failed = 0;
}

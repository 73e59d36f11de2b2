/* SPDX-License-Identifier: MulanPSL-2.0 */
/*
 * Pseudo-random numbers that a seed determines (SplitMix64, Steele, Lea and Flood 2014): for
 * jitter, transaction ids and the simulator. Secrets come from lib/sys/random.
 */
#pragma once

#include <stdint.h>

struct rng {
	uint64_t state;
};

static inline void rng_init(struct rng *rng, uint64_t seed)
{
	rng->state = seed;
}

static inline uint64_t rng_next(struct rng *rng)
{
	uint64_t z = rng->state += UINT64_C(0x9e3779b97f4a7c15);

	z = (z ^ z >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
	z = (z ^ z >> 27) * UINT64_C(0x94d049bb133111eb);
	return z ^ z >> 31;
}

/* A number in [low, high], both included; low ≤ high. The bias is below 2^-32 for our small ranges.
 */
static inline uint64_t rng_between(struct rng *rng, uint64_t low, uint64_t high)
{
	uint64_t span = high - low + 1;

	return span == 0 ? rng_next(rng) : low + rng_next(rng) % span;
}

/* SPDX-License-Identifier: MulanPSL-2.0 */
/*
 * Time as a number: microseconds. Monotonic unless a name says wall.
 */
#pragma once

#include <stdint.h>

typedef uint64_t usec_t;

#define USEC_INFINITY   UINT64_MAX
#define USEC_PER_MSEC   UINT64_C(1000)
#define USEC_PER_SEC    UINT64_C(1000000)
#define USEC_PER_MINUTE (60 * USEC_PER_SEC)
#define USEC_PER_HOUR   (60 * USEC_PER_MINUTE)

/* Sum that stops at USEC_INFINITY: a deadline far away never wraps into the past. */
static inline usec_t usec_add(usec_t a, usec_t b)
{
	usec_t sum;

	if (__builtin_add_overflow(a, b, &sum))
		return USEC_INFINITY;
	return sum;
}

/* Difference that stops at 0. */
static inline usec_t usec_sub(usec_t a, usec_t b)
{
	return a > b ? a - b : 0;
}

static inline usec_t usec_min(usec_t a, usec_t b)
{
	return a < b ? a : b;
}

/* Milliseconds from now until deadline, rounded up: never a busy loop. -1 for infinity. */
static inline int64_t usec_to_wait_ms(usec_t now, usec_t deadline)
{
	if (deadline == USEC_INFINITY)
		return -1;
	return (int64_t)((usec_sub(deadline, now) + USEC_PER_MSEC - 1) / USEC_PER_MSEC);
}

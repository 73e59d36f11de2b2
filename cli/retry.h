/* SPDX-License-Identifier: MulanPSL-2.0 */
/*
 * When to try again, and when to give up: for a server that restarts while somebody follows a job.
 * Pure.
 */
#pragma once

#include <stdbool.h>

#include "lib/base/rng.h"
#include "lib/base/usec.h"

#define RETRY_FIRST (200 * USEC_PER_MSEC) /* a restarted ccid listens again within this */
#define RETRY_MAX   (5 * USEC_PER_SEC)    /* what a user waits at most once the server is back */

struct retry {
	usec_t patience;   /* give up after this long without a sign of life */
	usec_t last_alive; /* monotonic */
	unsigned n_failed; /* in a row */
};

/* Begins with a sign of life now. patience: USEC_INFINITY never gives up. */
void retry_init(struct retry *retry, usec_t patience, usec_t now);

/* The server answered or sent something. */
void retry_alive(struct retry *retry, usec_t now);

/*
 * An attempt failed: when the next one is due, doubling from RETRY_FIRST to RETRY_MAX, with up to a
 * quarter more at random so that many clients do not come back at once; never past the moment of
 * giving up. USEC_INFINITY: give up.
 */
usec_t retry_failed(struct retry *retry, struct rng *rng, usec_t now);

/* SPDX-License-Identifier: MulanPSL-2.0 */
/*
 * How long results stay: which of them may go, and why.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "lib/base/bytes.h"
#include "lib/base/usec.h"

/* What has become of a job's results. */
enum results_state {
	RESULTS_THERE,
	RESULTS_REMOVING, /* it was said that they go: nobody may read them any more */
	RESULTS_REMOVED,
	_RESULTS_STATE_MAX,
};
const char *results_state_to_name(int value);
int results_state_from_name(struct slice name);

enum retention_cause {
	RETENTION_STAY,
	RETENTION_AGE,  /* older than results may become */
	RETENTION_ROOM, /* the oldest, and the disk is short of room */
	_RETENTION_CAUSE_MAX,
};
const char *retention_cause_to_name(int value);
int retention_cause_from_name(struct slice name);

struct retention_rules {
	usec_t results_age; /* 0: for ever */
	unsigned room;      /* percent of the disk that the oldest results make free; 0: none */
	usec_t events_age;  /* 0: for ever */
};

/* Results that came a moment ago are still looked at, and their last uploads still end. */
#define RETENTION_LEAST_AGE (10 * USEC_PER_MINUTE)

/* What is known of the oldest results that nobody keeps. */
struct retention_facts {
	usec_t now, finished;           /* by one clock */
	uint64_t free_bytes, all_bytes; /* of the file system of results */
	bool has_ended;                 /* the job */
	bool has_open_attempt, is_kept;
	enum results_state results;
};

/*
 * Whether these results go. Never those of a job that has not ended, whose machine may still write,
 * that somebody keeps, that are gone already, or that are younger than RETENTION_LEAST_AGE. Pure.
 */
enum retention_cause retention_decide(const struct retention_rules *rules,
                                      const struct retention_facts *facts);

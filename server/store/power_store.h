/* SPDX-License-Identifier: MulanPSL-2.0 */
/*
 * What is wanted of the power of hosts, and how the last switching went.
 */
#pragma once

#include "server/core/host.h"
#include "server/core/power.h"
#include "server/store/db.h"

#define POWER_CAUSE_MAX 64
#define POWER_ERROR_MAX 256

struct power_record {
	char host[HOST_NAME_MAX_LEN];
	struct power power;
	char cause[POWER_CAUSE_MAX]; /* why it is wanted: a cause of an attempt, or "asked" */
	usec_t last_wall;            /* when a command last ended; 0: never */
	enum power_action last_action;
	char last_error[POWER_ERROR_MAX]; /* of that command; empty: it went well */
};

enum { POWER_STORE_ABSENT = 1 };

/* Returns 0 with *ret, POWER_STORE_ABSENT, or -errno. */
int power_store_find(struct db *db, const char *host, struct power_record *ret);

/* Writes the record of a host that exists, inside the caller's transaction. Returns 0 or -errno. */
int power_store_put(struct db *db, const struct power_record *record);

/*
 * Records in that phase whose moment is not after `steady`, the oldest moment first. Returns how
 * many (≤ max), or -errno.
 */
int power_store_list(struct db *db, enum power_phase phase, usec_t steady,
                     struct power_record *records, int max);

/* The first moment of that phase; USEC_INFINITY: none. Returns 0 or -errno. */
int power_store_next(struct db *db, enum power_phase phase, usec_t *ret);

/* SPDX-License-Identifier: MulanPSL-2.0 */
/*
 * The event table.
 */
#pragma once

#include "server/core/event.h"
#include "server/store/db.h"

/*
 * Appends an event (its id is given by the table) inside the caller's transaction.
 * Returns 0 or -errno.
 */
int event_store_append(struct db *db, const struct event *event);

/*
 * Events with id > after, oldest first, of one job (0: of everybody): at most max into events[].
 * Returns the number, or -errno.
 */
int event_store_list(struct db *db, int64_t job, int64_t after, struct event *events, int max);

/* Events of one machine in a span of wall time. */
struct event_window {
	struct mac mac;
	usec_t from_wall, to_wall; /* both included */
};

/* The last max of them, oldest first. Returns the number, or -errno. */
int event_store_list_machine(struct db *db, const struct event_window *window, struct event *events,
                             int max);

/* The id of the newest event, 0 when there is none. Returns 0 or -errno. */
int event_store_last(struct db *db, int64_t *ret);

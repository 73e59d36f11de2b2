/* SPDX-License-Identifier: MulanPSL-2.0 */
/*
 * Old results and old events go, in small steps between which everything else is served. The files
 * themselves are removed by who asked retention_service_step: it may take long.
 *
 * A crash loses nothing: the store says that results are being removed before any file goes, and
 * says that they are gone when none is left. In between a new ccid takes it up again.
 */
#pragma once

#include <stdint.h>

#include "lib/base/usec.h"

struct retention_service;

#define RETENTION_NAME_MAX 256

/* A tree to be removed: dir_fd/name. */
struct retention_work {
	int64_t job;
	int dir_fd; /* owned by the caller then; -1: there was nothing, it is as good as removed */
	char name[RETENTION_NAME_MAX];
};

enum {
	RETENTION_REMOVE = 1, /* ret_work is to be done, and told by retention_service_removed */
	RETENTION_AGAIN = 2,  /* there is more: call once more, after a pause */
};

/*
 * Does what is due, at most a few hundred rows of it. Not while a tree is being removed.
 * Returns 0, RETENTION_REMOVE, or -errno (which has been logged).
 */
int retention_service_step(struct retention_service *retention, usec_t now, usec_t wall,
                           struct retention_work *ret_work);

/* When to call step again (monotonic); USEC_INFINITY: never. */
usec_t retention_service_deadline(const struct retention_service *retention);

/*
 * The tree is durably gone. Returns 0; RETENTION_AGAIN: call once more; or -errno (logged): then a
 * later step gives the same work out again.
 */
int retention_service_removed(struct retention_service *retention, int64_t job, usec_t now,
                              usec_t wall);

/* It could not be removed: said in the log, and tried again later. error: -errno. */
void retention_service_failed(struct retention_service *retention, int64_t job, int error,
                              usec_t now);

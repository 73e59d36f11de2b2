/* SPDX-License-Identifier: MulanPSL-2.0 */
/*
 * The only place where a job, an attempt or a host changes its state: the machine's table, the
 * compare-and-set in the store and the event row, all inside the caller's transaction.
 */
#pragma once

#include "server/core/attempt.h"
#include "server/service/context.h"

enum { MOVE_REFUSED = 1 /* the table has no such move from here; nothing was changed */ };

/*
 * Moves a job. The record's other fields (verdict, cause, ...) are written as they are; on success
 * job->state is the new one. Returns 0, MOVE_REFUSED, or -errno.
 */
int move_job(struct services *s, const struct moment *m, struct job_record *job,
             enum job_event event);

/* Writes a job's fields without moving it. Returns 0 or -errno. */
int move_job_touch(struct services *s, const struct job_record *job);

/*
 * Moves an attempt and all that hangs on it: its deadline becomes that of the new state, its host
 * goes along, and when it ends its job is judged. cause (or NULL to keep it) and the record's other
 * fields are written. Returns 0, MOVE_REFUSED, or -errno.
 */
int move_attempt(struct services *s, const struct moment *m, struct attempt *attempt,
                 enum attempt_event event, const char *cause);

/* Writes an attempt's fields without moving it. Returns 0 or -errno. */
int move_attempt_touch(struct services *s, const struct attempt *attempt);

/*
 * Moves a host. What its machine refuses is no harm: where a host is in its round is drawn from
 * what it was last seen doing. Returns 0 or -errno.
 */
int move_host(struct services *s, const struct moment *m, const char *name, enum host_event event);

/* For an event about this attempt. */
struct subject attempt_subject(const struct attempt *attempt);

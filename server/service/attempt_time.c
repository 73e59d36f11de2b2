/* SPDX-License-Identifier: MulanPSL-2.0 */
/*
 * The part of attempt_service that time drives.
 */
#include <stdio.h>
#include <string.h>

#include "lib/base/macro.h"
#include "server/core/deadlines.h"
#include "server/service/attempt_service.h"
#include "server/service/moves.h"
#include "server/service/power_service.h"
#include "server/store/attempt_store.h"
#include "server/store/job_store.h"

#define DUE_MAX 16 /* a round; the next one comes at once when there are more */

/* Why an attempt ends when its time in that state is up. */
static const char *const causes[_ATTEMPT_STATE_MAX] = {
	[ATTEMPT_OFFERED] = "offer_not_taken", [ATTEMPT_LOADING] = "loading_stopped",
	[ATTEMPT_BOOTING] = "no_hello",        [ATTEMPT_SETUP] = "setup_timeout",
	[ATTEMPT_RUNNING] = "timeout",         [ATTEMPT_REBOOTING] = "not_back",
	[ATTEMPT_CRASHED] = "crash",           [ATTEMPT_UPLOADING] = "upload_stopped",
	[ATTEMPT_CANCELLING] = "cancelled",
};

/* Results that stopped coming do not take a verdict away that was told, nor one of a crash. */
static int end_attempt(struct services *s, const struct moment *m, struct attempt *attempt)
{
	if ((attempt->state == ATTEMPT_UPLOADING || attempt->state == ATTEMPT_CRASHED) &&
	    attempt->verdict != JOB_VERDICT_NONE) {
		memcpy(attempt->upload, "incomplete", sizeof("incomplete"));
		return move_attempt(s, m, attempt, ATTEMPT_EVENT_FINISH, NULL);
	}
	return move_attempt(s, m, attempt, ATTEMPT_EVENT_DEADLINE, causes[attempt->state]);
}

/* A machine that lets its time pass hangs, or is off. */
static int miss_deadline(struct services *s, const struct moment *m, struct attempt *attempt)
{
	const char *cause = causes[attempt->state];
	int r = end_attempt(s, m, attempt);

	return r < 0 ? r : power_service_missed(s, m, attempt->host, cause);
}

static int end_attempts(struct services *s, const struct moment *m)
{
	struct attempt due[DUE_MAX];
	int n = attempt_store_due(s->db, m->steady, due, DUE_MAX), r = 0;

	for (int i = 0; i < n && r == 0; i++)
		r = miss_deadline(s, m, &due[i]);
	return n < 0 ? n : r;
}

static int expire_jobs(struct services *s, const struct moment *m)
{
	struct job_record due[DUE_MAX];
	int n = job_store_expired(s->db, m->steady, due, DUE_MAX), r = 0;

	for (int i = 0; i < n && r == 0; i++) {
		(void)snprintf(due[i].cause, sizeof(due[i].cause), "%s",
		               due[i].is_held ? "poison" : "nobody_took_it");
		r = move_job(s, m, &due[i], due[i].is_held ? JOB_EVENT_GIVE_UP : JOB_EVENT_EXPIRE);
	}
	return n < 0 ? n : r;
}

int attempt_service_timeout(struct services *s, const struct moment *m)
{
	int r = db_begin(s->db);

	if (r < 0)
		return r;
	s->queue_is_touched = true; /* a back-off may be over */
	r = end_attempts(s, m);
	if (r == 0)
		r = expire_jobs(s, m);
	if (r == 0)
		r = job_store_promote(s->db, m->steady);
	if (r == 0)
		r = power_service_timeout(s, m);
	r = services_finish(s, MIN(r, 0));
	return r;
}

int attempt_service_next(struct services *s, usec_t *ret)
{
	usec_t attempt, job, power;
	int r = attempt_store_next_deadline(s->db, &attempt);

	if (r == 0)
		r = job_store_next_moment(s->db, &job);
	if (r == 0)
		r = power_service_next_wait(s, &power);
	if (r == 0)
		*ret = usec_min(usec_min(attempt, job), power);
	return r;
}

usec_t attempt_left(const struct moment *m, const struct attempt *attempt)
{
	usec_t left = usec_sub(attempt->deadline_steady, m->steady);
	bool has_margin = attempt->state == ATTEMPT_SETUP || attempt->state == ATTEMPT_RUNNING;

	return has_margin ? usec_sub(left, RUN_MARGIN) : left;
}

int attempt_service_left(struct services *s, const struct moment *m, const char *host,
                         usec_t *ret_left)
{
	struct attempt attempt;
	int r = attempt_store_find_open_of_host(s->db, host, &attempt);

	if (r != 0)
		return r < 0 ? r : ATTEMPT_GONE;
	*ret_left = attempt_left(m, &attempt);
	return ATTEMPT_OK;
}

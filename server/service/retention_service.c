/* SPDX-License-Identifier: MulanPSL-2.0 */
/*
 * Ages are told by the steady clock: a step of the wall clock forward, while ccid runs, makes
 * nothing old. One backward makes nothing go.
 */
#include "server/service/retention_service.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/base/log.h"
#include "lib/base/macro.h"
#include "lib/base/text.h"
#include "lib/sys/fd.h"
#include "lib/sys/file.h"
#include "server/service/context.h"
#include "server/service/job_bundle.h"
#include "server/service/result_room.h"
#include "server/store/attempt_store.h"
#include "server/store/job_store.h"
#include "server/store/retention_store.h"

#define LOOK_PERIOD   USEC_PER_MINUTE        /* what has become old meanwhile? */
#define ROOM_PERIOD   USEC_PER_SEC           /* a file system counts a moment later what is free */
#define FAILED_PERIOD (10 * USEC_PER_MINUTE) /* a person has to mend something */

#define EVENTS_PERIOD     (10 * USEC_PER_MINUTE)
#define EVENTS_PAUSE      (100 * USEC_PER_MSEC)
#define EVENTS_PIECE      500
#define FILES_PIECE       500
#define ATTEMPTS_OF_A_JOB 64

static const char *words(int r)
{
	return strerror(-r); /* NOLINT(concurrency-mt-unsafe): one thread */
}

/* --- events --- */

static int prune_events(struct retention_service *retention, const struct moment *m)
{
	struct services *s = retention->services;
	int n, r = db_begin(s->db);

	if (r < 0)
		return r;
	n = retention_store_prune_events(s->db, usec_sub(m->steady, s->config.retention.events_age),
	                                 EVENTS_PIECE);
	r = services_finish(s, n);
	if (r < 0)
		return r;
	s->n_events_pruned += (uint64_t)n;
	retention->events_at = usec_add(m->now, n > 0 ? EVENTS_PAUSE : EVENTS_PERIOD);
	if (n > 0)
		log_debug("old events removed count=%d", n);
	return 0;
}

/* --- which results go --- */

static int decide(struct services *s, const struct moment *m, const struct job_record *job,
                  enum retention_cause *ret)
{
	struct retention_facts facts = {
		.now = m->steady,
		.finished = job->finished_wall,
		.has_ended = job_state_is_final((int)job->state),
		.is_kept = job->is_kept,
		.results = job->results,
	};
	CLEANUP(fd_closep) int dir = -1;
	struct attempt attempt;
	int r = attempt_store_find_open_of_job(s->db, job->id, &attempt);

	if (r < 0)
		return r;
	facts.has_open_attempt = r == 0;
	if (s->config.retention.room > 0) {
		dir = open(s->config.results, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
		r = dir < 0 ? -errno
		            : result_room_measure(dir, &facts.free_bytes, &facts.all_bytes);
		if (r < 0)
			return r;
	}
	*ret = retention_decide(&s->config.retention, &facts);
	return 0;
}

/* From here on nobody reads them, whatever happens. Returns 1 when they go, 0, or -errno. */
static int mark_oldest(struct services *s, const struct moment *m, int64_t *ret_job)
{
	char id[JOB_ID_TEXT_MAX];
	struct job_record job;
	enum retention_cause cause;
	int64_t oldest;
	int r = retention_store_oldest(s->db, &oldest);

	if (r == 0)
		r = job_store_find(s->db, oldest, &job);
	if (r == 0)
		r = decide(s, m, &job, &cause);
	if (r != 0 || cause == RETENTION_STAY)
		return MIN(r, 0);
	r = db_begin(s->db);
	if (r == 0)
		r = services_finish(
			s, retention_store_set(s->db, oldest, RESULTS_REMOVING, cause, m->wall));
	if (r < 0)
		return r;
	s->generation++; /* who follows their log is let go */
	log_notice("results are removed job=%s cause=%s", services_job_id(s, oldest, id),
	           retention_cause_to_name((int)cause));
	*ret_job = oldest;
	return 1;
}

/* What was begun first, then the oldest. Returns 1 with a job, 0, or -errno. */
static int choose(struct retention_service *retention, const struct moment *m, int64_t *ret_job)
{
	struct services *s = retention->services;
	int r = retention_store_removing(s->db, retention->tried, ret_job);

	if (r <= 0)
		return r < 0 ? r : 1;
	r = mark_oldest(s, m, ret_job);
	if (r == 0)
		retention->tried = 0; /* what failed is tried again the next time */
	return r;
}

/* --- where they are --- */

/* Whether a result directory is a job's own: its name ends in the job's number. */
static bool is_its_own(const char *name, int64_t job)
{
	char end[24];
	size_t len = strlen(name), n;

	(void)snprintf(end, sizeof(end), ".%" PRId64, job);
	n = strlen(end);
	return len > n && strcmp(name + len - n, end) == 0;
}

static int move_into(int parent, const char *name, int aside)
{
	return renameat(parent, name, aside, name) < 0 && errno != ENOENT ? -errno : 0;
}

/* The directory of the job, and those of its attempts that did not count: see job_bundle. */
static int move_all(struct services *s, const struct job_record *job, int parent, const char *name,
                    int aside)
{
	CLEANUP(freep) struct attempt *attempts = calloc(ATTEMPTS_OF_A_JOB, sizeof(*attempts));
	char text[JOB_ROOT_MAX + 32];
	int n, r = attempts ? move_into(parent, name, aside) : -ENOMEM;

	if (r < 0)
		return r;
	n = attempt_store_list(s->db, job->id, attempts, ATTEMPTS_OF_A_JOB);
	for (int i = 0; i < n && r == 0; i++) {
		(void)snprintf(text, sizeof(text), "%s.attempt-%" PRId64, name, attempts[i].id);
		r = move_into(parent, text, aside);
	}
	return MIN(n, r);
}

/* All of it below one new name that nobody is told, in one directory: a rename never copies. */
static int set_aside(struct services *s, const struct job_record *job, struct retention_work *work)
{
	CLEANUP(fd_closep) int parent = job_bundle_open_parent(s, job);
	CLEANUP(fd_closep) int aside = -1;
	const char *slash = strrchr(job->result_root, '/');
	const char *name = slash ? slash + 1 : job->result_root;
	int r;

	*work = (struct retention_work){ .job = job->id, .dir_fd = -1 };
	if (parent < 0)
		return parent == -ENOENT ? 0 : parent;
	if (!is_its_own(name, job->id))
		return -EINVAL;
	(void)snprintf(work->name, sizeof(work->name), ".removing-%" PRId64, job->id);
	if (mkdirat(parent, work->name, 0700) < 0 && errno != EEXIST)
		return -errno;
	aside = openat(parent, work->name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	r = aside < 0 ? -errno : move_all(s, job, parent, name, aside);
	if (r < 0)
		return r;
	work->dir_fd = steal_fd(&parent);
	return 0;
}

/* --- the steps --- */

static int remove_results(struct retention_service *retention, const struct moment *m,
                          struct retention_work *ret_work)
{
	struct services *s = retention->services;
	struct job_record job;
	int64_t id;
	int r;

	retention->results_at = usec_add(m->now, LOOK_PERIOD);
	r = choose(retention, m, &id);
	if (r <= 0)
		return r;
	r = job_store_find(s->db, id, &job);
	if (r == 0)
		r = set_aside(s, &job, ret_work);
	if (r != 0) {
		retention_service_failed(retention, id, r < 0 ? r : -EUCLEAN, m->now);
		return 0;
	}
	return RETENTION_REMOVE;
}

static bool removes_results(const struct retention_service *retention)
{
	const struct retention_rules *rules = &retention->services->config.retention;

	return rules->results_age > 0 || rules->room > 0 || !retention->has_looked;
}

int retention_service_step(struct retention_service *retention, usec_t now, usec_t wall,
                           struct retention_work *ret_work)
{
	const struct moment m = services_moment(retention->services, now, wall);
	int r = 0;

	if (retention->services->config.retention.events_age > 0 && now >= retention->events_at)
		r = prune_events(retention, &m);
	if (r == 0 && removes_results(retention) && now >= retention->results_at) {
		r = remove_results(retention, &m, ret_work);
		retention->has_looked |= r == 0; /* what an earlier ccid had begun is done */
	}
	if (r < 0) {
		log_warning("old results and events stay for now: %s", words(r));
		retention->events_at = retention->results_at = usec_add(now, LOOK_PERIOD);
	}
	return r;
}

usec_t retention_service_deadline(const struct retention_service *retention)
{
	bool prunes = retention->services->config.retention.events_age > 0;

	return usec_min(prunes ? retention->events_at : USEC_INFINITY,
	                removes_results(retention) ? retention->results_at : USEC_INFINITY);
}

static int record_removed(struct services *s, const struct moment *m, const struct job_record *job)
{
	const struct subject subject = { .job = job->id };
	int n = retention_store_forget_files(s->db, job->id, FILES_PIECE);
	int r;

	if (n < 0 || n == FILES_PIECE)
		return n < 0 ? n : RETENTION_AGAIN;
	r = retention_store_set(s->db, job->id, RESULTS_REMOVED, job->results_cause, m->wall);
	if (r < 0)
		return r;
	return services_event(s, m, EVENT_RESULTS_REMOVED, &subject, "{s:s}", "cause",
	                      retention_cause_to_name((int)job->results_cause));
}

int retention_service_removed(struct retention_service *retention, int64_t job, usec_t now,
                              usec_t wall)
{
	struct services *s = retention->services;
	const struct moment m = services_moment(s, now, wall);
	struct job_record record;
	int r = db_begin(s->db);

	if (r == 0) {
		r = job_store_find(s->db, job, &record);
		r = services_finish(s, r == 0 ? record_removed(s, &m, &record)
		                              : (r < 0 ? r : -EUCLEAN));
	}
	if (r < 0) {
		retention_service_failed(retention, job, r, now);
		return r;
	}
	if (r == RETENTION_AGAIN)
		return r;
	job_bundle_remove_empty_parents(s, &record);
	s->n_results_removed[record.results_cause]++;
	retention->results_at =
		record.results_cause == RETENTION_ROOM ? usec_add(now, ROOM_PERIOD) : now;
	return 0;
}

void retention_service_failed(struct retention_service *retention, int64_t job, int error,
                              usec_t now)
{
	char id[JOB_ID_TEXT_MAX];

	log_warning("results could not be removed: %s job=%s", words(error),
	            services_job_id(retention->services, job, id));
	retention->services->n_removals_failed++;
	retention->tried = job;
	retention->results_at = usec_add(now, FAILED_PERIOD);
}

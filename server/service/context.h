/* SPDX-License-Identifier: MulanPSL-2.0 */
/*
 * What the services of one ccid share; private to this room. The handles that services.h gives out
 * are all views of this one.
 */
#pragma once

#include "lib/base/hash.h"
#include "lib/base/rng.h"
#include "server/core/event.h"
#include "server/core/host.h"
#include "server/service/services.h"
#include "server/store/db.h"

struct tokens;

struct api {
	struct services *services;
};
struct boot_service {
	struct services *services;
};
struct result_service {
	struct services *services;
};
struct transfer_service {
	struct services *services;
};
struct host_service {
	struct services *services;
};
struct retention_service {
	struct services *services;
	usec_t events_at, results_at; /* when to look again */
	int64_t tried;   /* the last of those being removed that could not be, this time round */
	bool has_looked; /* for what an earlier ccid had begun to remove */
};
struct power_service {
	struct services *services;
};

struct services {
	struct db *db;                 /* borrowed */
	struct services_config config; /* its texts are borrowed */
	struct tokens *tokens;         /* NULL: nobody has one */
	struct rng rng;                /* jitter only */
	usec_t start_now, start_wall;
	uint64_t generation; /* of everything: api_generation */
	uint64_t n_queue;    /* rises when a held machine could get something new */
	/* by the present transaction: */
	bool has_news;         /* an event was written */
	bool queue_is_touched; /* a held machine could get something new */
	struct map held;       /* machines whose request is held, by MAC */
	uint64_t n_turns;      /* of the scheduler: core/sched_decide */
	uint64_t n_requests, n_refused, n_offers;
	uint64_t n_foreign;                 /* refused: not from the machine that they are about */
	services_metrics_fn append_metrics; /* NULL: nobody adds any */
	uint64_t n_results_removed[_RETENTION_CAUSE_MAX], n_removals_failed, n_events_pruned;
	void *metrics_userdata;
	struct api api;
	struct boot_service boot;
	struct result_service results;
	struct transfer_service transfers;
	struct host_service hosts;
	struct retention_service retention;
	struct power_service power;
};

/* The clocks of one request. steady: the server's own, see server/core/attempt.h. */
struct moment {
	usec_t now, wall, steady;
};

struct moment services_moment(const struct services *s, usec_t now, usec_t wall);

/* The monotonic time at which the steady clock shows `steady`; USEC_INFINITY stays. */
usec_t services_to_now(const struct services *s, usec_t steady);

/*
 * Ends a transaction: commits and, when there is news, lets held requests and followers look again.
 * Returns 0 or -errno (then nothing of it happened).
 */
int services_commit(struct services *s);
void services_rollback(struct services *s);

/* finish(r): commits when r >= 0, else rolls back. Returns r, or the error of the commit. */
int services_finish(struct services *s, int r);

/* To whom an event happened; zeros and NULL where not known. */
struct subject {
	const char *host;
	struct mac mac;
	int64_t job, attempt;
};

/*
 * Appends an event inside the present transaction; its fields are made as by json_pack.
 * Fields that do not fit are left out with a mark. Returns 0 or -errno.
 */
int services_event(struct services *s, const struct moment *m, enum event_kind kind,
                   const struct subject *subject, const char *format, ...);

/* Job id on the wire: "<lab>.<n>". Both ways; parse returns 0 or JOB_ID_BAD. */
#define JOB_ID_TEXT_MAX 96
enum { JOB_ID_BAD = 1 };
const char *services_job_id(const struct services *s, int64_t job, char to[JOB_ID_TEXT_MAX]);
int services_parse_job_id(const struct services *s, struct slice text, int64_t *ret);

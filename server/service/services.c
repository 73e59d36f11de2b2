/* SPDX-License-Identifier: MulanPSL-2.0 */
/*
 * Makes the services, takes up what an earlier ccid left, and what all of them use: clocks,
 * transactions, events, job ids.
 */
#include "server/service/services.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "lib/base/log.h"
#include "lib/base/macro.h"
#include "lib/base/text.h"
#include "server/core/deadlines.h"
#include "server/service/boot_service.h"
#include "server/service/context.h"
#include "server/service/held.h"
#include "server/service/host_files.h"
#include "server/service/host_service.h"
#include "server/service/job_bundle.h"
#include "server/service/power_service.h"
#include "server/service/tokens.h"
#include "server/store/attempt_store.h"
#include "server/store/event_store.h"
#include "server/store/lane_store.h"

DEFINE_FREEP(struct services, services_free);

struct moment services_moment(const struct services *s, usec_t now, usec_t wall)
{
	return (struct moment){ .now = now,
		                .wall = wall,
		                .steady = usec_add(s->start_wall, usec_sub(now, s->start_now)) };
}

usec_t services_to_now(const struct services *s, usec_t steady)
{
	if (steady == USEC_INFINITY)
		return USEC_INFINITY;
	return usec_add(s->start_now, usec_sub(steady, s->start_wall));
}

int services_commit(struct services *s)
{
	int r = db_commit(s->db);

	if (r == 0) {
		s->generation += s->has_news || s->queue_is_touched;
		s->n_queue += s->queue_is_touched;
	}
	s->has_news = s->queue_is_touched = false;
	return r;
}

void services_rollback(struct services *s)
{
	db_rollback(s->db);
	s->has_news = s->queue_is_touched = false;
}

int services_finish(struct services *s, int r)
{
	int committed;

	if (r < 0) {
		services_rollback(s);
		return r;
	}
	committed = services_commit(s);
	return committed < 0 ? committed : r;
}

/* What cannot be said (too long, or text of a peer that is no UTF-8) leaves a mark instead. */
static void print_fields(char to[EVENT_FIELDS_MAX], const char *format, va_list args)
{
	json_error_t error;
	json_t *fields = json_vpack_ex(&error, 0, format, args);
	size_t len = 0;

	if (fields)
		len = json_dumpb(fields, to, EVENT_FIELDS_MAX - 1,
		                 JSON_COMPACT | JSON_ENSURE_ASCII);
	json_decref(fields);
	if (len == 0 || len > EVENT_FIELDS_MAX - 1)
		(void)snprintf(to, EVENT_FIELDS_MAX, "{\"cut\":true}");
	else
		to[len] = '\0';
}

int services_event(struct services *s, const struct moment *m, enum event_kind kind,
                   const struct subject *subject, const char *format, ...)
{
	struct event event = {
		.kind = kind,
		.wall = m->wall,
		.mono = m->now,
		.mac = subject->mac,
		.job = subject->job,
		.attempt = subject->attempt,
	};
	va_list args;

	/* a host's name always fits */
	(void)text_copy(event.host, sizeof(event.host), slice_from_text(subject->host));
	va_start(args, format);
	print_fields(event.fields, format, args);
	va_end(args);
	s->has_news = true;
	return event_store_append(s->db, &event);
}

const char *services_job_id(const struct services *s, int64_t job, char to[JOB_ID_TEXT_MAX])
{
	(void)snprintf(to, JOB_ID_TEXT_MAX, "%s.%" PRId64, s->config.lab, job);
	return to;
}

int services_parse_job_id(const struct services *s, struct slice text, int64_t *ret)
{
	struct slice lab = slice_from_text(s->config.lab);
	uint64_t number;

	if (!slice_has_prefix(text, lab) || text.len <= lab.len || text.data[lab.len] != '.')
		return JOB_ID_BAD;
	if (text_parse_u64(slice_sub(text, lab.len + 1, text.len), INT64_MAX, &number) != 0)
		return JOB_ID_BAD;
	*ret = (int64_t)number;
	return 0;
}

/*
 * An attempt that was open when ccid ended goes on: its machine retries. Its deadline was kept on
 * the old steady clock; it gets at least a moment to be heard again, and never more than the whole
 * length of its state, whatever the wall clock did meanwhile. One whose end sends the job elsewhere
 * while its code may run (setup) gets the whole length: its agent knows no other.
 */
static int arm_anew(struct services *s, struct attempt *attempt, usec_t steady)
{
	usec_t longest = usec_add(steady, deadline_of_attempt(attempt));
	usec_t shortest =
		attempt->state == ATTEMPT_SETUP ? longest : usec_add(steady, RESTART_GRACE);

	if (attempt->deadline_steady > longest)
		attempt->deadline_steady = longest;
	if (attempt->deadline_steady < shortest)
		attempt->deadline_steady = shortest;
	if (attempt->state == ATTEMPT_RUNNING)
		attempt->run_until_steady = usec_sub(attempt->deadline_steady, RUN_MARGIN);
	else if (attempt->run_until_steady > 0)
		attempt->run_until_steady =
			usec_min(attempt->run_until_steady, usec_add(steady, attempt->run_limit));
	attempt->seen_steady = steady;
	return attempt_store_update(s->db, attempt, attempt->state);
}

static int arm_all_anew(struct services *s, usec_t steady)
{
	struct attempt attempts[32];
	int64_t after = 0;
	int n;

	do {
		n = attempt_store_list_open(s->db, after, attempts, ARRAY_SIZE(attempts));
		for (int i = 0; i < n; i++) {
			int r = arm_anew(s, &attempts[i], steady);

			if (r < 0)
				return r;
			after = attempts[i].id;
		}
	} while (n == ARRAY_SIZE(attempts));
	return n < 0 ? n : 0;
}

/* A disk has written what is older than this, whatever happened. */
#define MEND_AGE (10 * USEC_PER_MINUTE)

/*
 * Copies of jobs in result directories are written without waiting for the disk; after a power cut
 * they may be gone. What cannot be mended is told, and keeps nobody from working.
 */
static void mend(struct services *s, const struct attempt *attempts, int n, int64_t *after)
{
	for (int i = 0; i < n; i++) {
		int r = job_bundle_mend(s, &attempts[i]);

		if (r < 0)
			log_warning("copies of a job are lost attempt=%" PRId64 " error=%d",
			            attempts[i].id, -r);
		*after = attempts[i].id;
	}
}

static int mend_copies(struct services *s, const struct moment *m)
{
	usec_t since = usec_sub(m->wall, MEND_AGE);
	struct attempt attempts[32];
	int64_t after = 0;
	int n;

	do {
		n = attempt_store_list_open(s->db, after, attempts, ARRAY_SIZE(attempts));
		mend(s, attempts, n, &after);
	} while (n == ARRAY_SIZE(attempts));
	after = 0;
	while (n >= 0) {
		n = attempt_store_list_ended(s->db, after, since, attempts, ARRAY_SIZE(attempts));
		mend(s, attempts, n, &after);
		if (n < (int)ARRAY_SIZE(attempts))
			break;
	}
	return MIN(n, 0);
}

/* What people wrote: host files and tokens, all or nothing. */
static int load_files(struct services *s, const struct moment *m, char error[SERVICES_ERROR_MAX])
{
	CLEANUP(tokens_freep) struct tokens *tokens = NULL, *old = NULL;
	struct host_files *files = NULL;
	int r = 0;

	if (s->config.tokens)
		r = tokens_read(s->config.tokens, &tokens, error);
	if (r == 0 && s->config.hosts_dir)
		r = host_files_read(s->config.hosts_dir, &files, error);
	if (r != 0)
		return r;
	r = db_begin(s->db);
	if (r == 0)
		r = services_finish(s, host_service_take_files(&s->hosts, m, files));
	host_files_free(files);
	if (r != 0)
		return r;
	old = s->tokens;
	s->tokens = steal_ptr(&tokens);
	return 0;
}

static int take_up(struct services *s, const struct moment *m)
{
	int r = db_begin(s->db);

	if (r < 0)
		return r;
	r = arm_all_anew(s, m->steady);
	if (r == 0)
		r = lane_store_prune(s->db);
	if (r == 0)
		r = power_service_take_up(s, m);
	r = services_finish(s, r);
	return r < 0 ? r : mend_copies(s, m);
}

int services_new(struct db *db, const struct services_config *config, usec_t now, usec_t wall,
                 struct services **ret, char error[SERVICES_ERROR_MAX])
{
	CLEANUP(services_freep) struct services *s = calloc(1, sizeof(*s));
	struct moment m;
	int r;

	error[0] = '\0';
	if (!s)
		return -ENOMEM;
	s->db = db;
	s->config = *config;
	s->start_now = now;
	s->start_wall = wall;
	s->generation = 1;
	rng_init(&s->rng, config->seed);
	held_init(s);
	s->api.services = s->boot.services = s->results.services = s;
	s->transfers.services = s->hosts.services = s->retention.services = s;
	s->power.services = s;
	m = services_moment(s, now, wall);
	r = take_up(s, &m);
	if (r < 0)
		return r;
	r = load_files(s, &m, error);
	if (r != 0)
		return r;
	*ret = steal_ptr(&s);
	return 0;
}

void services_free(struct services *s)
{
	if (!s)
		return;
	held_deinit(s);
	tokens_free(s->tokens);
	free(s);
}

void services_set_metrics(struct services *s, services_metrics_fn append, void *userdata)
{
	s->append_metrics = append;
	s->metrics_userdata = userdata;
}

struct api *services_api(struct services *s)
{
	return &s->api;
}

struct boot_service *services_boot(struct services *s)
{
	return &s->boot;
}

struct result_service *services_results(struct services *s)
{
	return &s->results;
}

struct transfer_service *services_transfers(struct services *s)
{
	return &s->transfers;
}

struct power_service *services_power(struct services *s)
{
	return &s->power;
}

struct host_service *services_hosts(struct services *s)
{
	return &s->hosts;
}

struct retention_service *services_retention(struct services *s)
{
	return &s->retention;
}

int services_reload(struct services *s, usec_t now, usec_t wall, char error[SERVICES_ERROR_MAX])
{
	struct moment m = services_moment(s, now, wall);

	error[0] = '\0';
	return load_files(s, &m, error);
}

int services_check_hosts(const char *hosts_dir, char error[SERVICES_ERROR_MAX])
{
	struct host_files *files = NULL;
	int r;

	error[0] = '\0';
	r = host_files_read(hosts_dir, &files, error);
	host_files_free(files);
	return r;
}

int services_check_tokens(const char *path, char error[SERVICES_ERROR_MAX])
{
	CLEANUP(tokens_freep) struct tokens *tokens = NULL;

	error[0] = '\0';
	return tokens_read(path, &tokens, error);
}

/* SPDX-License-Identifier: MulanPSL-2.0 */
/*
 * The rules of state-machines.md 2.8. The event table is the witness: what it tells is followed row
 * by row, so that no state that lasted for one transaction only is missed. S9 and L5 are about
 * clusters, which are not built.
 */
#include "tests/sim/sim.h"

#include "server/core/job_match.h"
#include "server/store/attempt_store.h"
#include "server/store/event_store.h"
#include "server/store/host_store.h"
#include "server/store/job_store.h"

#define EVENTS_PAGE 64

static int host_number(const char *name)
{
	return strncmp(name, "vm-", 3) == 0 ? atoi(name + 3) - 1 : -1;
}

/* The value of a text member of an event's fields, "" when it has none. */
static const char *field(const struct event *event, const char *key, char to[32])
{
	json_t *fields = json_loads(event->fields, 0, NULL);
	const char *text = json_string_value(json_object_get(fields, key));

	(void)snprintf(to, 32, "%s", text ? text : "");
	json_decref(fields);
	return to;
}

static struct job_shadow *job_of(struct sim *s, int64_t job)
{
	if (job < 1 || job > (int64_t)s->n_jobs)
		sim_fail(s, "an event of a job that nobody submitted: %lld", (long long)job);
	return &s->jobs[job];
}

static struct attempt_shadow *attempt_of(struct sim *s, int64_t attempt)
{
	if (attempt < 1 || attempt >= SIM_ATTEMPTS_MAX)
		sim_fail(s, "too many attempts: %lld", (long long)attempt);
	return &s->attempts[attempt];
}

/* S1, S2, S8, S11 */
static void check_offer(struct sim *s, const struct event *event)
{
	struct attempt_shadow *attempt = attempt_of(s, event->attempt);
	struct job_shadow *job = job_of(s, event->job);
	int number = host_number(event->host);
	struct job_record record;
	struct host host;

	if (attempt->job) /* the same script again */
		return;
	if (number < 0 || number >= s->n_machines)
		sim_fail(s, "an offer to %s", event->host);
	s->n_attempts = MAX(s->n_attempts, (size_t)event->attempt + 1);
	*attempt = (struct attempt_shadow){ .job = event->job, .state = ATTEMPT_OFFERED };
	(void)snprintf(attempt->host, sizeof(attempt->host), "%s", event->host);
	if (job->n_open++ > 0)
		sim_fail(s, "S1: job %lld has two open attempts", (long long)event->job);
	if (s->open_of_host[number]++ > 0)
		sim_fail(s, "S2: %s has two open attempts", event->host);
	assert_int_equal(host_store_find(s->w->db, event->host, &host), 0);
	assert_int_equal(job_store_find(s->w->db, event->job, &record), 0);
	if (host_flags_bar(host.flags, record.kind))
		sim_fail(s, "S8: %s was barred (flags %u) and got job %lld", host.name, host.flags,
		         (long long)event->job);
	if (host_is_reserved(&host, s->w->wall) && strcmp(host.reserved_for, record.submitter) != 0)
		sim_fail(s, "S8: %s was reserved and got job %lld", host.name,
		         (long long)event->job);
	if (job->n_infra > record.max_tries + job->n_released ||
	    job->n_lost > JOB_LOST_OFFERS_MAX + record.max_tries)
		sim_fail(s, "S11: job %lld is tried too often", (long long)event->job);
}

static void check_attempt_moves(struct sim *s, const struct event *event)
{
	struct attempt_shadow *attempt = attempt_of(s, event->attempt);
	struct job_shadow *job = job_of(s, event->job);
	char from[32], to[32];
	int state = attempt_state_from_name(slice_from_text(field(event, "to", to)));

	if (attempt_state_is_final((int)attempt->state))
		sim_fail(s, "S5: attempt %lld ended as %s and became %s", (long long)event->attempt,
		         attempt_state_to_name((int)attempt->state), to);
	if (strcmp(field(event, "from", from), attempt_state_to_name((int)attempt->state)) != 0)
		sim_fail(s, "attempt %lld moved from %s and was %s", (long long)event->attempt,
		         from, attempt_state_to_name((int)attempt->state));
	if (attempt->state == ATTEMPT_REBOOTING && state == ATTEMPT_RUNNING)
		attempt->may_begin_again = true;
	attempt->state = (enum attempt_state)state;
	if (!attempt_state_is_final(state))
		return;
	job->n_open--;
	s->open_of_host[host_number(attempt->host)]--;
	job->n_infra += state == ATTEMPT_INFRA;
	job->n_lost += state == ATTEMPT_LOST_OFFER;
}

/* S4, S5, S10 */
static void check_job_moves(struct sim *s, const struct event *event)
{
	struct job_shadow *job = job_of(s, event->job);
	char from[32], to[32];
	int state = job_state_from_name(slice_from_text(field(event, "to", to)));
	struct job_record record;

	if (job->is_known && job_state_is_final((int)job->state))
		sim_fail(s, "S5: job %lld ended as %s and became %s", (long long)event->job,
		         job_state_to_name((int)job->state), to);
	if (job->is_known &&
	    strcmp(field(event, "from", from), job_state_to_name((int)job->state)) != 0)
		sim_fail(s, "job %lld moved from %s and was %s", (long long)event->job, from,
		         job_state_to_name((int)job->state));
	job->n_released += job->is_known && job->state == JOB_WAITING && state == JOB_QUEUED;
	job->is_known = true;
	job->state = (enum job_state)state;
	if (job_state_is_final(state) && job->n_open > 0)
		sim_fail(s, "job %lld ended with an open attempt", (long long)event->job);
	if (state != JOB_FINISHED)
		return;
	assert_int_equal(job_store_find(s->w->db, event->job, &record), 0);
	if (record.verdict == JOB_VERDICT_NONE || record.attempt == 0)
		sim_fail(s, "S4: job %lld finished without an attempt whose results count",
		         (long long)event->job);
	if (attempt_of(s, record.attempt)->state != ATTEMPT_DONE)
		sim_fail(s, "S10: job %lld finished by attempt %lld, which is %s",
		         (long long)event->job, (long long)record.attempt,
		         attempt_state_to_name((int)attempt_of(s, record.attempt)->state));
}

static void check_event(struct sim *s, const struct event *event)
{
	char to[32];

	if (event->kind == EVENT_BOOT_OFFER)
		check_offer(s, event);
	else if (event->kind == EVENT_ATTEMPT_STATE)
		check_attempt_moves(s, event);
	else if (event->kind == EVENT_JOB_STATE)
		check_job_moves(s, event);
	else if (event->kind == EVENT_HOST_STATE && host_number(event->host) >= 0 &&
	         (strcmp(field(event, "to", to), "idle_poll") == 0 || strcmp(to, "busy") == 0))
		s->machines[host_number(event->host)].last_idle_or_busy = s->w->now;
	if (s->is_loud)
		sim_say(s, "%s host=%s job=%lld attempt=%lld %s",
		        event_kind_to_name((int)event->kind), event->host, (long long)event->job,
		        (long long)event->attempt, event->fields);
}

void check_events(struct sim *s)
{
	static struct event events[EVENTS_PAGE];
	int n;

	do {
		n = event_store_list(s->w->db, 0, s->last_event, events, EVENTS_PAGE);
		assert_true(n >= 0);
		for (int i = 0; i < n; i++) {
			check_event(s, &events[i]);
			s->last_event = events[i].id;
		}
	} while (n == EVENTS_PAGE);
}

static int64_t attempt_in(const char *target)
{
	static const char prefix[] = "/v1/attempts/";

	return strncmp(target, prefix, strlen(prefix)) == 0
	               ? strtoll(target + strlen(prefix), NULL, 10)
	               : 0;
}

bool check_attempt_is_final(const struct sim *s, const char *target)
{
	int64_t attempt = attempt_in(target);

	return attempt > 0 && attempt < SIM_ATTEMPTS_MAX && s->attempts[attempt].job &&
	       attempt_state_is_final((int)s->attempts[attempt].state);
}

/* S3: an attempt that has ended takes nothing but its last word, and its failure, once more. */
void check_answer(struct sim *s, const struct sim_message *asked, bool was_final, unsigned status)
{
	if (status >= 500)
		sim_fail(s, "%s was answered %u", asked->target, status);
	if (was_final && status == 200 && !strstr(asked->target, "/finish") &&
	    !strstr(asked->target, "/report"))
		sim_fail(s, "S3: %s was answered 200 though it had ended", asked->target);
}

/* S7, and that the code of an attempt begins once (or once more, after an announced reboot). */
void check_code_begins(struct sim *s, struct machine_sim *m)
{
	int64_t job = strtoll(m->job + strlen("lab1."), NULL, 10);
	struct attempt_shadow *attempt = attempt_of(s, strtoll(m->attempt, NULL, 10));
	struct job_shadow *shadow = job_of(s, job);

	if (shadow->executed_by >= 0)
		sim_fail(s, "S7: job %s runs on machines %d and %d", m->job, shadow->executed_by,
		         m->number);
	if (attempt->began_life && !attempt->may_begin_again)
		sim_fail(s, "the code of attempt %s began twice", m->attempt);
	attempt->began_life = m->life;
	attempt->may_begin_again = false;
	shadow->executed_by = m->number;
}

void check_code_ends(struct sim *s, struct machine_sim *m)
{
	if (m->executes)
		job_of(s, strtoll(m->job + strlen("lab1."), NULL, 10))->executed_by = -1;
}

/* The first job of each lane is the one that its row names. */
void check_lanes(const struct sim *s)
{
	struct sqlite3_stmt *stmt;

	assert_int_equal(
		db_prepare(s->w->db,
	                   "SELECT id FROM lanes l WHERE head IS NOT (SELECT id FROM jobs"
	                   " WHERE lane = l.id AND is_ready = 1 ORDER BY rank, id LIMIT 1)",
	                   &stmt),
		0);
	if (db_step(s->w->db, stmt) == DB_ROW)
		sim_fail(s, "lane %lld names another job than its first",
		         (long long)db_column_i64(stmt, 0));
	db_reset(stmt);
}

/* The shadows agree with the store, and L2: every machine has come round lately. */
void check_end(struct sim *s)
{
	struct job_record job;

	check_lanes(s);
	for (unsigned n = 1; n <= s->n_jobs; n++) {
		assert_int_equal(job_store_find(s->w->db, n, &job), 0);
		if (job.state != s->jobs[n].state)
			sim_fail(s, "job %u is %s and its events say %s", n,
			         job_state_to_name((int)job.state),
			         job_state_to_name((int)s->jobs[n].state));
	}
	for (int i = 0; i < s->n_machines; i++)
		if (s->w->now - s->machines[i].last_idle_or_busy > 3600 * USEC_PER_SEC)
			sim_fail(s, "L2: machine %d has not asked for an hour", i);
}

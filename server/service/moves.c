/* SPDX-License-Identifier: MulanPSL-2.0 */
#include "server/service/moves.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "lib/base/log.h"
#include "lib/base/macro.h"
#include "lib/base/text.h"
#include "lib/doc/message.h"
#include "server/core/deadlines.h"
#include "server/service/blame_service.h"
#include "server/store/attempt_store.h"
#include "server/store/host_store.h"
#include "server/store/job_store.h"
#include "server/store/lane_store.h"
#include "server/store/stage_store.h"

struct subject attempt_subject(const struct attempt *attempt)
{
	return (struct subject){ .host = attempt->host,
		                 .mac = attempt->mac,
		                 .job = attempt->job,
		                 .attempt = attempt->id };
}

/* All reads and writes of a request are in one transaction of one thread: what was read is so. */
static int stale_is_a_bug(int r)
{
	return r > 0 ? -EUCLEAN : r;
}

static int record_job_end(struct services *s, const struct moment *m, const struct job_record *job)
{
	struct subject subject = { .job = job->id };
	char id[JOB_ID_TEXT_MAX];
	struct attempt attempt;
	int r = attempt_store_find(s->db, job->attempt, &attempt);

	if (r < 0)
		return r;
	if (r == 0)
		subject = attempt_subject(&attempt);

	log_notice("job has ended job=%s state=%s verdict=%s cause=%s",
	           services_job_id(s, job->id, id), job_state_to_name(job->state),
	           job->verdict ? job_verdict_to_name(job->verdict) : "none",
	           job->cause[0] ? job->cause : "none");
	return services_event(s, m, EVENT_JOB_FINISHED, &subject, "{s:s, s:s*, s:s*, s:s*}",
	                      "state", job_state_to_name(job->state), "verdict",
	                      job->verdict ? job_verdict_to_name(job->verdict) : NULL, "cause",
	                      job->cause[0] ? job->cause : NULL, "upload",
	                      job->upload[0] ? job->upload : NULL);
}

int move_job(struct services *s, const struct moment *m, struct job_record *job,
             enum job_event event)
{
	const struct subject subject = { .job = job->id };
	enum job_state from = job->state;
	int to, r;

	if (machine_next(&job_machine, from, event, &to) != MACHINE_MOVED)
		return MOVE_REFUSED;
	job->state = (enum job_state)to;
	job->is_ready = !job->is_held && job->not_before_steady <= m->steady;
	if (job_state_is_final(to))
		job->finished_wall = m->wall;
	if (to == JOB_ACTIVE || job_state_is_final(to))
		job->reason[0] = '\0';
	r = stale_is_a_bug(job_store_update(s->db, job, from));
	if (r < 0)
		return r;
	s->queue_is_touched = true;
	r = services_event(s, m, EVENT_JOB_STATE, &subject, "{s:s, s:s, s:s*, s:s*}", "from",
	                   job_state_to_name(from), "to", job_state_to_name(to), "reason",
	                   job->reason[0] ? job->reason : NULL, "cause",
	                   job->cause[0] ? job->cause : NULL);
	if (r < 0 || !job_state_is_final(to))
		return r;
	return record_job_end(s, m, job);
}

int move_job_touch(struct services *s, const struct job_record *job)
{
	return stale_is_a_bug(job_store_update(s->db, job, job->state));
}

int move_host(struct services *s, const struct moment *m, const char *name, enum host_event event)
{
	const struct subject subject = { .host = name };
	struct host host;
	int to, r;

	r = host_store_find(s->db, name, &host);
	if (r != 0)
		return r < 0 ? r : 0; /* deleted meanwhile: nobody to move */
	if (machine_next(&host_machine, host.state, event, &to) != MACHINE_MOVED ||
	    to == (int)host.state)
		return 0;
	r = stale_is_a_bug(host_store_move(s->db, name, host.state, (enum host_state)to));
	if (r < 0)
		return r;
	return services_event(s, m, EVENT_HOST_STATE, &subject, "{s:s, s:s}", "from",
	                      host_state_to_name(host.state), "to", host_state_to_name(to));
}

static int move_its_host(struct services *s, const struct moment *m, const struct attempt *attempt)
{
	switch (attempt->state) {
	case ATTEMPT_OFFERED:
		return move_host(s, m, attempt->host, HOST_EVENT_CLAIM);
	case ATTEMPT_BOOTING:
		return move_host(s, m, attempt->host, HOST_EVENT_KERNEL);
	case ATTEMPT_SETUP:
	case ATTEMPT_RUNNING:
	case ATTEMPT_UPLOADING:
		return move_host(s, m, attempt->host, HOST_EVENT_HELLO);
	case ATTEMPT_LOADING:
	case ATTEMPT_REBOOTING:
	case ATTEMPT_CRASHED:
	case ATTEMPT_CANCELLING:
		return 0;
	case ATTEMPT_DONE:
	case ATTEMPT_CANCELLED:
	case ATTEMPT_TIMEOUT:
	case ATTEMPT_INFRA:
	case ATTEMPT_LOST_OFFER:
	case _ATTEMPT_STATE_MAX:
		break;
	}
	return move_host(s, m, attempt->host, HOST_EVENT_RELEASE);
}

/* The whole run was charged when it was offered: what it did not use is given back. */
static int settle_share(struct services *s, const struct moment *m, const struct attempt *attempt,
                        const struct job_record *job)
{
	usec_t used = usec_sub(attempt->ended_wall, attempt->offered_wall);

	return lane_store_charge(s->db, job->submitter, m->steady,
	                         (int64_t)(used / USEC_PER_SEC) -
	                                 (int64_t)(job->run_limit / USEC_PER_SEC));
}

/* The job goes on without this attempt: when, and why it waits. */
static void put_back(const struct moment *m, const struct attempt *attempt,
                     const struct job_judgement *judgement, struct job_record *job)
{
	job->cause[0] = '\0'; /* the job itself has no cause of an end yet */
	job->not_before_steady = usec_add(m->steady, judgement->back_off);
	if (judgement->event == JOB_EVENT_HOLD) {
		job->is_held = true;
		job->expires_steady = usec_add(m->steady, JOB_HOLD_LENGTH);
	}
	(void)snprintf(job->reason, sizeof(job->reason),
	               job->is_held ? "held: attempt %lld on %s failed too: %s; retry lets it go on"
	                            : "attempt %lld on %s failed: %s",
	               (long long)attempt->id, attempt->host, attempt->cause);
}

/* The attempt has ended: what becomes of its job. */
static int judge(struct services *s, const struct moment *m, const struct attempt *attempt,
                 struct job_record *job)
{
	int n_failed = attempt_store_count_failed_hosts(s->db, job->id), r;
	const struct job_judge_facts facts = {
		.ended = attempt->state,
		.verdict = attempt->verdict,
		.ran_out = strcmp(attempt->cause, MESSAGE_CAUSE_TIMEOUT) == 0,
		.tries = job->tries,
		.max_tries = job->max_tries,
		.lost_offers = job->lost_offers,
		.n_failed_hosts = (unsigned)MAX(n_failed, 0),
	};
	struct job_judgement judgement = job_judge(&facts);

	if (n_failed < 0)
		return n_failed;
	job->tries += judgement.charge;
	job->lost_offers += judgement.lost_offer;
	job->attempt = attempt->id;
	(void)snprintf(job->cause, sizeof(job->cause), "%s", attempt->cause);
	if (judgement.event == JOB_EVENT_FINISH)
		job->verdict = attempt->verdict;
	if (judgement.event == JOB_EVENT_FINISH || judgement.event == JOB_EVENT_TIMEOUT)
		memcpy(job->upload, attempt->upload, sizeof(job->upload));
	if (judgement.event == JOB_EVENT_REQUEUE || judgement.event == JOB_EVENT_HOLD)
		put_back(m, attempt, &judgement, job);
	r = stale_is_a_bug(move_job(s, m, job, judgement.event));
	if (r == 0)
		r = settle_share(s, m, attempt, job);
	if (r < 0)
		return r;
	return blame_service_ended(s, m, attempt, job, judgement.event == JOB_EVENT_HOLD);
}

static int record_attempt(struct services *s, const struct moment *m, const struct attempt *attempt,
                          enum attempt_state from, enum attempt_event event)
{
	const struct subject subject = attempt_subject(attempt);
	char id[JOB_ID_TEXT_MAX];

	log_notice("attempt moved job=%s attempt=%lld host=%s from=%s to=%s cause=%s",
	           services_job_id(s, attempt->job, id), (long long)attempt->id, attempt->host,
	           attempt_state_to_name(from), attempt_state_to_name(attempt->state),
	           attempt->cause[0] ? attempt->cause : "none");
	return services_event(s, m, EVENT_ATTEMPT_STATE, &subject, "{s:s, s:s, s:s, s:s*}", "from",
	                      attempt_state_to_name(from), "to",
	                      attempt_state_to_name(attempt->state), "event",
	                      attempt_event_to_name((int)event), "cause",
	                      attempt->cause[0] ? attempt->cause : NULL);
}

/*
 * How long the state may last that the attempt has come into. Where the machine's own disks are
 * made ready, its first boot takes many times what the others do: there is nothing to learn.
 */
static int find_limit(struct services *s, const struct attempt *attempt, usec_t *ret)
{
	usec_t p99;
	int n;

	*ret = deadline_of_state(attempt->state, attempt->run_limit);
	if (!deadline_is_learned(attempt->state) ||
	    strcmp(attempt->os_mount, os_mount_to_name(OS_MOUNT_LOCAL)) == 0)
		return 0;
	n = stage_store_p99(s->db, attempt, attempt->state, &p99);
	if (n > 0)
		*ret = deadline_learn(attempt->state, (unsigned)n, p99);
	return MIN(n, 0);
}

/* A run that goes on after a reboot has no new time: what was left of it is left. */
static int set_deadline(struct services *s, const struct moment *m, struct attempt *attempt)
{
	usec_t limit;
	int r = 0;

	if (attempt->state == ATTEMPT_RUNNING && attempt->run_until_steady == 0)
		attempt->run_until_steady = usec_add(m->steady, attempt->run_limit);
	if (attempt->state == ATTEMPT_RUNNING)
		attempt->deadline_steady = usec_add(attempt->run_until_steady, RUN_MARGIN);
	else
		r = find_limit(s, attempt, &limit);
	if (r == 0 && attempt->state != ATTEMPT_RUNNING)
		deadline_set(attempt, m->steady, limit);
	return r;
}

/* It went on from a state that is learned: so long that took this time. */
static int learn(struct services *s, const struct moment *m, const struct attempt *attempt,
                 enum attempt_state from)
{
	if (!deadline_is_learned(from) || attempt_state_is_final(attempt->state) ||
	    attempt->since_steady == 0)
		return 0;
	return stage_store_add(s->db, attempt, from, usec_sub(m->steady, attempt->since_steady));
}

int move_attempt(struct services *s, const struct moment *m, struct attempt *attempt,
                 enum attempt_event event, const char *cause)
{
	enum attempt_state from = attempt->state;
	struct job_record job;
	int to, r;

	if (machine_next(&attempt_machine, from, event, &to) != MACHINE_MOVED)
		return MOVE_REFUSED;
	r = job_store_find(s->db, attempt->job, &job);
	if (r != 0)
		return stale_is_a_bug(r);
	attempt->state = (enum attempt_state)to;
	if (attempt_state_is_final(to))
		attempt->ended_wall = m->wall;
	else
		r = set_deadline(s, m, attempt);
	if (r == 0)
		r = learn(s, m, attempt, from);
	if (r < 0)
		return r;
	attempt->since_steady = m->steady;
	if (cause)
		(void)snprintf(attempt->cause, sizeof(attempt->cause), "%s", cause);
	r = stale_is_a_bug(attempt_store_update(s->db, attempt, from));
	if (r < 0)
		return r;
	r = record_attempt(s, m, attempt, from, event);
	if (r == 0)
		r = move_its_host(s, m, attempt);
	if (r < 0 || !attempt_state_is_final(to))
		return r;
	return judge(s, m, attempt, &job);
}

int move_attempt_touch(struct services *s, const struct attempt *attempt)
{
	return stale_is_a_bug(attempt_store_update(s->db, attempt, attempt->state));
}

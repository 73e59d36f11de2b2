/* SPDX-License-Identifier: MulanPSL-2.0 */
#include "server/service/job_service.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "lib/base/log.h"
#include "lib/base/macro.h"
#include "lib/base/text.h"
#include "server/core/deadlines.h"
#include "server/core/sched_decide.h"
#include "server/service/boot_offer.h"
#include "server/service/job_bundle.h"
#include "server/service/job_why.h"
#include "server/service/moves.h"
#include "server/store/attempt_store.h"
#include "server/store/host_store.h"
#include "server/store/job_store.h"

#define TRIES_MAX 3 /* attempts that infrastructure may spoil */

static int copy(char *to, size_t size, const char *text)
{
	return text_copy(to, size, slice_from_text(text ? text : "")) == 0 ? 0 : -E2BIG;
}

static const char *submitter(const struct job *job)
{
	if (job->my_account && job->my_account[0])
		return job->my_account;
	return job->my_email ? job->my_email : "";
}

static int fill_record(const struct moment *m, const struct job *job, struct job_record *ret)
{
	int r;

	*ret = (struct job_record){
		.state = JOB_QUEUED,
		.priority = job->priority,
		.max_tries = job->health_check ? 1 : TRIES_MAX,
		.kind = job->health_check ? JOB_KIND_HEALTH : JOB_KIND_USER,
		.run_limit = job_run_seconds(job) * USEC_PER_SEC,
		.expires_steady = usec_add(m->steady, QUEUE_LENGTH),
		.submitted_wall = m->wall,
		.n_queues = job->n_queues,
		.rank = sched_rank(m->steady, job->priority),
		.is_ready = true,
		.is_idle = job->is_idle,
		.needs = { .memory = job->memory_minimum,
		           .n_hdd = job->n_hdd,
		           .n_ssd = job->n_ssd },
	};
	memcpy(ret->needs.tags, job->need_tags, sizeof(ret->needs.tags));
	r = copy(ret->suite, sizeof(ret->suite), job->suite);
	if (r == 0)
		r = copy(ret->testbox, sizeof(ret->testbox), job->testbox);
	if (r == 0)
		r = copy(ret->tbox_group, sizeof(ret->tbox_group), job->tbox_group);
	for (unsigned i = 0; i < job->n_queues && r == 0; i++)
		r = copy(ret->queues[i], sizeof(ret->queues[i]), job->queues[i]);
	/* cut is as good as any other name of somebody */
	(void)snprintf(ret->submitter, sizeof(ret->submitter), "%.128s", submitter(job));
	/* an architecture with a name longer than any host's matches by being unknown */
	(void)copy(ret->arch, sizeof(ret->arch), job->os_arch);
	return r;
}

/* The document as it is kept: without the contents of packages, which are files, not text. */
static char *print_document(const struct job *job)
{
	json_t *doc = json_deep_copy(job->doc), *package;
	const char *key;
	char *text = NULL;

	json_object_foreach(json_object_get(doc, "pkg_data"), key, package)(void)
		json_object_del(package, "content"); /* absent is fine */
	if (doc)
		text = json_dumps(doc, JSON_COMPACT);
	json_decref(doc);
	return text;
}

static void print_date(usec_t wall, char to[16])
{
	time_t seconds = (time_t)(wall / USEC_PER_SEC);
	struct tm tm;

	if (!gmtime_r(&seconds, &tm) || strftime(to, 16, "%Y-%m-%d", &tm) == 0)
		(void)snprintf(to, 16, "1970-01-01");
}

static int set_result_root(struct services *s, const struct moment *m, const struct job *job,
                           int64_t id)
{
	char text[JOB_ID_TEXT_MAX], date[16], *root;
	int r;

	print_date(m->wall, date);
	root = job_result_root(job, services_job_id(s, id, text), date);
	if (!root)
		return -ENOMEM;
	r = strlen(root) < JOB_ROOT_MAX ? job_store_set_result_root(s->db, id, root) : -E2BIG;
	free(root);
	return r;
}

static uint64_t body_hash(const struct job_key *key)
{
	const uint64_t seed[2] = { 0, 0 }; /* tells a mistake, keeps nobody out */

	return hash_siphash(seed, key->body);
}

static int insert(struct services *s, const struct moment *m, const struct job *job,
                  const struct job_key *key, int64_t *ret_id)
{
	struct job_record record;
	struct subject subject;
	char *document;
	int r = fill_record(m, job, &record);

	if (r < 0)
		return r;
	document = print_document(job);
	if (!document)
		return -ENOMEM;
	r = job_store_insert(s->db, &record, document, key->key, body_hash(key), ret_id);
	free(document);
	if (r == 0)
		r = set_result_root(s, m, job, *ret_id);
	if (r < 0)
		return r;
	s->queue_is_touched = true;
	subject = (struct subject){ .job = *ret_id };
	return services_event(s, m, EVENT_JOB_STATE, &subject, "{s:s, s:s, s:s}", "to",
	                      job_state_to_name(JOB_QUEUED), "suite", record.suite, "testbox",
	                      record.testbox);
}

static int refuse(struct job_error *error, const char *field, const char *text)
{
	(void)snprintf(error->field, sizeof(error->field), "%s", field);
	(void)snprintf(error->text, sizeof(error->text), "%s", text);
	return JOB_SERVICE_BAD;
}

/*
 * A job that no host can ever run is told of; of a strict one that is a mistake, and so is a file
 * that is not there.
 */
static int check(struct services *s, const struct moment *m, const struct job *job,
                 struct job_error *error)
{
	struct job_record record;
	char reason[JOB_REASON_MAX] = "";
	const char *field = "";
	int r = fill_record(m, job, &record);

	if (r < 0)
		return r;
	if (job->strict)
		r = boot_offer_check(s, job, reason);
	if (r != 0)
		return r > 0 ? refuse(error, "strict", reason) : r;
	r = job_why_never(s, m, &record, &field, reason);
	if (r > 0 && job->strict)
		return refuse(error, field, reason);
	if (r > 0)
		log_notice("no host can ever run this job suite=%s testbox=%s reason=%s",
		           job->suite, job->testbox, reason);
	return MIN(r, 0);
}

static int find_key(struct services *s, const struct job_key *key, int64_t *ret_id)
{
	uint64_t hash;
	int r = job_store_find_key(s->db, key->key, ret_id, &hash);

	if (r != 0)
		return r;
	return hash == body_hash(key) ? 0 : JOB_SERVICE_REUSED;
}

static int submit(struct services *s, const struct moment *m, const struct job *job,
                  const struct job_key *key, int64_t *ret_id)
{
	int r;

	if (key->key) {
		r = find_key(s, key, ret_id);
		if (r != JOB_STORE_ABSENT)
			return r;
	}
	return insert(s, m, job, key, ret_id);
}

_Static_assert(JOB_STORE_ABSENT != (int)JOB_SERVICE_REUSED, "find_key tells them apart");

int job_service_submit(struct services *s, const struct moment *m, const json_t *doc,
                       const struct job_key *key, int64_t *ret_id, struct job_error *ret_error)
{
	CLEANUP(job_freep) struct job *job = NULL;
	char text[JOB_ID_TEXT_MAX];
	int64_t id = 0;
	int r = job_parse(doc, &job, ret_error);

	if (r != 0)
		return r < 0 ? r : JOB_SERVICE_BAD;
	r = check(s, m, job, ret_error);
	if (r == -E2BIG)
		return refuse(ret_error, "suite", "the names of this job are too long together");
	if (r != 0)
		return r;
	r = db_begin(s->db);
	if (r < 0)
		return r;
	r = services_finish(s, submit(s, m, job, key, &id));
	if (r == -E2BIG)
		return refuse(ret_error, "suite", "the names of this job are too long together");
	if (r != 0)
		return r;
	log_notice("job accepted job=%s suite=%s testbox=%s", services_job_id(s, id, text),
	           job->suite, job->testbox);
	*ret_id = id;
	return 0;
}

int job_service_add(struct services *s, const struct moment *m, const json_t *doc, int64_t *ret_id,
                    struct job_error *ret_error)
{
	CLEANUP(job_freep) struct job *job = NULL;
	const struct job_key no_key = { .key = NULL };
	int r = job_parse(doc, &job, ret_error);

	if (r != 0)
		return r < 0 ? r : JOB_SERVICE_BAD;
	return insert(s, m, job, &no_key, ret_id);
}

static int cancel_attempt(struct services *s, const struct moment *m, int64_t job)
{
	struct attempt attempt;
	int r = attempt_store_find_open_of_job(s->db, job, &attempt);

	if (r != 0)
		return r < 0 ? r : -EUCLEAN; /* an active job has one */
	r = move_attempt(s, m, &attempt, ATTEMPT_EVENT_CANCEL, "cancelled");
	return r == MOVE_REFUSED ? 0 : r; /* is being cancelled already */
}

static int cancel(struct services *s, const struct moment *m, int64_t id)
{
	struct job_record job;
	int r = job_store_find(s->db, id, &job);

	if (r != 0)
		return r < 0 ? r : JOB_SERVICE_ABSENT;
	if (job_state_is_final((int)job.state))
		return JOB_SERVICE_STATE;
	if (job.state == JOB_ACTIVE)
		return cancel_attempt(s, m, id);
	(void)snprintf(job.cause, sizeof(job.cause), "cancelled");
	return move_job(s, m, &job, JOB_EVENT_CANCEL);
}

int job_service_cancel(struct services *s, const struct moment *m, int64_t id)
{
	int r = db_begin(s->db);

	if (r < 0)
		return r;
	return services_finish(s, cancel(s, m, id));
}

static int release(struct services *s, const struct moment *m, struct job_record *job)
{
	int r = db_begin(s->db);

	if (r < 0)
		return r;
	job->is_held = false;
	job->not_before_steady = 0;
	job->expires_steady = usec_add(m->steady, QUEUE_LENGTH);
	job->reason[0] = '\0';
	r = move_job(s, m, job, JOB_EVENT_READY);
	return services_finish(s, MIN(r, 0));
}

int job_service_retry(struct services *s, const struct moment *m, int64_t id, int64_t *ret_id,
                      struct job_error *ret_error)
{
	CLEANUP(job_freep) struct job *job = NULL;
	const struct job_key no_key = { .key = NULL };
	struct job_record record;
	int r = job_store_find(s->db, id, &record);

	if (r != 0)
		return r < 0 ? r : JOB_SERVICE_ABSENT;
	if (record.is_held) {
		*ret_id = id;
		return release(s, m, &record);
	}
	if (!job_state_is_final((int)record.state))
		return JOB_SERVICE_STATE;
	r = job_bundle_load(s, id, &job);
	if (r < 0)
		return r;
	return job_service_submit(s, m, job->doc, &no_key, ret_id, ret_error);
}

/* SPDX-License-Identifier: MulanPSL-2.0 */
/*
 * /v1/jobs: submit, list, show, cancel, retry, results.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/base/macro.h"
#include "lib/base/text.h"
#include "lib/doc/document.h"
#include "server/service/api_routes.h"
#include "server/service/attempt_service.h"
#include "server/service/job_service.h"
#include "server/service/job_why.h"
#include "server/store/attempt_store.h"
#include "server/store/file_store.h"
#include "server/store/job_store.h"

#define LIST_DEFAULT 50
#define LIST_MAX     500
#define FILES_SHOWN  10000

/* Jobs of one list for which it is looked up why they wait, in one pass over the hosts. Jobs that
 * wait for the same are looked up once. */
#define LIST_WHY_MAX 32

static int refuse_job(struct api_request *rq, const struct job_error *error)
{
	return api_problem(rq, 400, error->field[0] ? error->field : NULL, "%s", error->text);
}

/* 201 with id, state and URL; and a warning when no host can ever run it. */
static int send_created(struct api_request *rq, int64_t id)
{
	char text[JOB_ID_TEXT_MAX], base[64], url[192], warning[JOB_REASON_MAX] = "";
	struct job_record job;
	const char *field;
	int r = job_store_find(rq->s->db, id, &job);

	if (r != 0)
		return r < 0 ? r : -EUCLEAN;
	r = job_why_never(rq->s, &rq->m, &job, &field, warning);
	if (r < 0)
		return r;
	(void)snprintf(url, sizeof(url), "%s/v1/jobs/%s",
	               api_base_url(rq, rq->s->config.api_port, base),
	               services_job_id(rq->s, id, text));
	(void)snprintf(rq->answer->location, sizeof(rq->answer->location), "%s", url);
	return api_send_json(rq, 201,
	                     json_pack("{s:s, s:s, s:s, s:s, s:o*}", "id", text, "state",
	                               job_state_to_name((int)job.state), "url", url, "result_root",
	                               job.result_root, "warning",
	                               warning[0] ? json_string(warning) : NULL));
}

static int read_key(struct api_request *rq, char to[JOB_KEY_MAX + 1])
{
	int r;

	if (text_copy(to, JOB_KEY_MAX + 1, rq->call->idempotency_key) == 0)
		return 0;
	r = api_problem(rq, 400, "Idempotency-Key", "expected at most %d characters", JOB_KEY_MAX);
	return r < 0 ? r : 1;
}

int api_jobs_submit(struct api_request *rq)
{
	CLEANUP(document_freep) struct document *doc = NULL;
	struct document_error bad;
	struct job_error error = { .field = "" };
	char key_text[JOB_KEY_MAX + 1] = "";
	struct job_key key = { .body = rq->call->body };
	int64_t id = 0;
	int r = read_key(rq, key_text);

	if (r != 0)
		return r < 0 ? r : 0;
	key.key = key_text[0] ? key_text : NULL;
	r = document_parse(rq->call->body, &doc, &bad);
	if (r < 0)
		return r;
	if (r > 0 && bad.line > 0)
		return api_problem(rq, 400, NULL, "%u:%u: %s", bad.line, bad.column, bad.text);
	if (r > 0)
		return api_problem(rq, 400, NULL, "%s", bad.text);
	r = job_service_submit(rq->s, &rq->m, document_root(doc), &key, &id, &error);
	if (r == JOB_SERVICE_BAD)
		return refuse_job(rq, &error);
	if (r == JOB_SERVICE_REUSED)
		return api_problem(rq, 422, "Idempotency-Key", "came with another job before");
	return r < 0 ? r : send_created(rq, id);
}

/* Fills the filter from the query. Returns 0; 1 when a 400 was answered; -errno. */
static int read_filter(struct api_request *rq, struct job_filter *filter,
                       char host[HOST_NAME_MAX_LEN])
{
	char text[64];
	int r = 0;

	*filter = (struct job_filter){ .state = -1 };
	filter->before = (int64_t)api_query_u64(rq, "after", INT64_MAX, 0);
	if (api_query(rq, "host", host, HOST_NAME_MAX_LEN))
		filter->host = host;
	if (!api_query(rq, "state", text, sizeof(text)))
		return 0;
	filter->state = job_state_from_name(slice_from_text(text));
	if (filter->state < 0) {
		r = api_problem(rq, 400, "state", "expected a state of jobs, such as queued");
		return r < 0 ? r : 1;
	}
	return 0;
}

/* Why the jobs of a list wait: of those that wait for the same, the first is looked up. */
struct why {
	const struct job_record *jobs[LIST_WHY_MAX];
	char reasons[LIST_WHY_MAX][JOB_REASON_MAX];
	size_t n;
};

static bool waits_for_same(const struct job_record *a, const struct job_record *b)
{
	return a->lane == b->lane ||
	       (strcmp(a->testbox, b->testbox) == 0 && strcmp(a->submitter, b->submitter) == 0 &&
	        strcmp(a->tbox_group, b->tbox_group) == 0 && strcmp(a->arch, b->arch) == 0 &&
	        a->n_queues == b->n_queues && strcmp(a->queues[0], b->queues[0]) == 0 &&
	        strcmp(a->queues[1], b->queues[1]) == 0 && a->kind == b->kind &&
	        a->needs.memory == b->needs.memory && a->needs.n_hdd == b->needs.n_hdd &&
	        a->needs.n_ssd == b->needs.n_ssd && strcmp(a->needs.tags, b->needs.tags) == 0);
}

/* Which of those that are looked up stands for this job; why->n: none does. */
static size_t find_why(const struct why *why, const struct job_record *job)
{
	size_t i = 0;

	while (i < why->n && !waits_for_same(why->jobs[i], job))
		i++;
	return i;
}

static int look_up(struct api_request *rq, const struct job_record *jobs, int n, struct why *why)
{
	for (int i = 0; i < n && why->n < LIST_WHY_MAX; i++)
		if (!job_why_is_known(&rq->m, &jobs[i]) && find_why(why, &jobs[i]) == why->n)
			why->jobs[why->n++] = &jobs[i];
	return why->n ? job_why_many(rq->s, &rq->m, why->jobs, why->n, why->reasons) : 0;
}

static const char *reason_of(struct api_request *rq, const struct why *why,
                             const struct job_record *job)
{
	size_t i = job_why_is_known(&rq->m, job) ? why->n : find_why(why, job);

	return i < why->n ? why->reasons[i] : job->reason;
}

static int send_list(struct api_request *rq, const struct job_record *jobs, int n, bool is_full)
{
	CLEANUP(json_decrefp) json_t *list = json_array();
	struct why why = { .n = 0 };
	char next[24];
	int r = look_up(rq, jobs, n, &why);

	if (r < 0)
		return r;
	for (int i = 0; i < n; i++) {
		const char *reason = reason_of(rq, &why, &jobs[i]);

		if (json_array_append_new(list, api_job_json(rq, &jobs[i], reason)) < 0)
			return -ENOMEM;
	}
	(void)snprintf(next, sizeof(next), "%lld", is_full ? (long long)jobs[n - 1].id : 0LL);
	return api_send_json(rq, 200,
	                     json_pack("{s:O, s:o}", "jobs", list, "next",
	                               is_full ? json_string(next) : json_null()));
}

int api_jobs_list(struct api_request *rq)
{
	CLEANUP(freep) struct job_record *jobs = NULL;
	char host[HOST_NAME_MAX_LEN];
	struct job_filter filter;
	int max, n, r;

	r = read_filter(rq, &filter, host);
	if (r != 0)
		return r < 0 ? r : 0;
	max = (int)api_query_u64(rq, "limit", LIST_MAX, LIST_DEFAULT);
	if (max == 0)
		max = LIST_DEFAULT;
	jobs = calloc((size_t)max, sizeof(*jobs));
	if (!jobs)
		return -ENOMEM;
	n = job_store_list(rq->s->db, &filter, jobs, max);
	return n < 0 ? n : send_list(rq, jobs, n, n == max);
}

int api_jobs_show(struct api_request *rq)
{
	char reason[JOB_REASON_MAX];
	struct job_record job;
	int r = api_find_job(rq, rq->args.arg[0], &job);

	if (r != 0)
		return r < 0 ? r : 0;
	r = job_why(rq->s, &rq->m, &job, reason);
	if (r < 0)
		return r;
	return api_send_json(rq, 200, api_job_json(rq, &job, reason));
}

int api_jobs_why(struct api_request *rq)
{
	char reason[JOB_REASON_MAX];
	struct job_record job;
	int r = api_find_job(rq, rq->args.arg[0], &job);

	if (r != 0)
		return r < 0 ? r : 0;
	r = job_why(rq->s, &rq->m, &job, reason);
	if (r < 0)
		return r;
	return api_send_json(rq, 200,
	                     json_pack("{s:s, s:o}", "state", job_state_to_name((int)job.state),
	                               "reason", api_text_json(reason)));
}

int api_jobs_renew(struct api_request *rq)
{
	uint64_t more = api_query_u64(rq, "seconds", JOB_SECONDS_MAX, 0);
	struct job_record job;
	usec_t left = 0;
	int r = api_find_job(rq, rq->args.arg[0], &job);

	if (r != 0)
		return r < 0 ? r : 0;
	if (more == 0)
		return api_problem(rq, 400, "seconds", "expected seconds, at most a year");
	r = attempt_service_renew(rq->s, &rq->m, job.id, more * USEC_PER_SEC, &left);
	if (r < 0)
		return r;
	if (r == ATTEMPT_TOO_LONG)
		return api_problem(rq, 400, "seconds", "a run may last a year at most");
	if (r != ATTEMPT_OK)
		return api_problem(rq, 409, NULL, "the job does not run");
	return api_send_json(rq, 200,
	                     json_pack("{s:I}", "deadline", (json_int_t)(left / USEC_PER_SEC)));
}

int api_jobs_cancel(struct api_request *rq)
{
	struct job_record job;
	int r = api_find_job(rq, rq->args.arg[0], &job);

	if (r != 0)
		return r < 0 ? r : 0;
	r = job_service_cancel(rq->s, &rq->m, job.id);
	if (r < 0)
		return r;
	if (r == JOB_SERVICE_STATE)
		return api_problem(rq, 409, NULL, "the job has ended: %s",
		                   job_state_to_name((int)job.state));
	return api_jobs_show(rq);
}

int api_jobs_retry(struct api_request *rq)
{
	struct job_error error = { .field = "" };
	struct job_record job;
	int64_t id = 0;
	int r = api_find_job(rq, rq->args.arg[0], &job);

	if (r != 0)
		return r < 0 ? r : 0;
	r = job_service_retry(rq->s, &rq->m, job.id, &id, &error);
	if (r < 0)
		return r;
	if (r == JOB_SERVICE_STATE)
		return api_problem(rq, 409, NULL, "the job has not ended: %s",
		                   job_state_to_name((int)job.state));
	if (r == JOB_SERVICE_BAD)
		return refuse_job(rq, &error);
	return send_created(rq, id);
}

/* The attempt whose results the job shows: the one that counts, else the newest. */
static int64_t results_of(struct api_request *rq, const struct job_record *job)
{
	struct attempt last;

	if (job->attempt)
		return job->attempt;
	return attempt_store_find_last(rq->s->db, job->id, &last) == 0 ? last.id : 0;
}

/* A name that is no UTF-8 is shown escaped: it can be seen, if not fetched by that. */
static json_t *pack_file(const struct stored_file *file)
{
	char escaped[4 * sizeof(file->name)];
	json_t *name = json_string(file->name);

	if (!name)
		name = json_string(
			text_escape(escaped, sizeof(escaped), slice_from_text(file->name)));
	return json_pack("{s:o, s:I, s:s}", "name", name, "size", (json_int_t)file->size, "sha256",
	                 file->sha256);
}

int api_jobs_results(struct api_request *rq)
{
	CLEANUP(freep) struct stored_file *files = calloc(FILES_SHOWN, sizeof(*files));
	CLEANUP(json_decrefp) json_t *list = json_array();
	struct job_record job;
	int n, r = api_find_job(rq, rq->args.arg[0], &job);

	if (r == 0)
		r = api_results_gone(rq, &job);
	if (r != 0)
		return MIN(r, 0);
	if (!files || !list)
		return -ENOMEM;
	n = file_store_list(rq->s->db, results_of(rq, &job), "", files, FILES_SHOWN);
	if (n < 0)
		return n;
	for (int i = 0; i < n; i++)
		if (json_array_append_new(list, pack_file(&files[i])) < 0)
			return -ENOMEM;
	return api_send_json(rq, 200, json_pack("{s:O}", "files", list));
}

/* Appends a path with what may not stand in a URL escaped (RFC 3986, section 3.3). */
static void append_escaped(struct buffer *out, struct slice path)
{
	for (size_t i = 0; i < path.len; i++) {
		char c = (char)path.data[i];

		if (char_is_alnum(c) || (c && strchr("/-._~!$&'()*+,;=:@", c)))
			buffer_append(out, &c, 1);
		else
			buffer_printf(out, "%%%02X", path.data[i]);
	}
}

int api_jobs_result(struct api_request *rq)
{
	struct buffer url = BUFFER_NULL;
	struct job_record job;
	char base[64];
	int r = api_find_job(rq, rq->args.arg[0], &job);

	if (r == 0)
		r = api_results_gone(rq, &job);
	if (r != 0)
		return MIN(r, 0);
	buffer_append_text(&url, api_base_url(rq, rq->s->config.files_port, base));
	append_escaped(&url, slice_from_text(job.result_root));
	buffer_append_text(&url, "/");
	append_escaped(&url, rq->args.arg[1]);
	r = buffer_error(&url);
	if (r == 0 &&
	    text_copy(rq->answer->location, sizeof(rq->answer->location), buffer_slice(&url)) != 0)
		r = api_problem(rq, 404, NULL, "no result has such a long name");
	else if (r == 0)
		rq->answer->status = 307;
	buffer_deinit(&url);
	return r;
}

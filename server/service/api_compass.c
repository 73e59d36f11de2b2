/* SPDX-License-Identifier: MulanPSL-2.0 */
/*
 * Routes of Compass-CI that are not about hosts or booting, in its shapes
 * (compass-ci-protocol.md 2.1). Its clients never look at more than they need, and a report that
 * cannot be used is answered 200 all the same: they would not do anything else.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "lib/base/log.h"
#include "lib/base/macro.h"
#include "lib/base/text.h"
#include "lib/doc/document.h"
#include "server/service/api_routes.h"
#include "server/service/attempt_service.h"
#include "server/service/job_service.h"
#include "server/store/job_store.h"

int api_compass_alive(struct api_request *rq)
{
	char text[128];
	json_t *time = api_time_json(rq->call->wall, false);

	(void)snprintf(text, sizeof(text), "LKP Alive! The time is %s\n",
	               json_is_string(time) ? json_string_value(time) : "unknown");
	json_decref(time);
	return api_send_text(rq, 200, text);
}

/* One element a job; error: 202 and id "0". */
static int send_submitted(struct api_request *rq, unsigned status, const char *id,
                          const char *message, const char *result_root)
{
	return api_send_json(rq, status,
	                     json_pack("[{s:s, s:s, s:s, s:s}]", "job_id", id, "message", message,
	                               "job_state", "submit", "result_root", result_root));
}

int api_compass_submit(struct api_request *rq)
{
	CLEANUP(document_freep) struct document *doc = NULL;
	const struct job_key no_key = { .key = NULL };
	char id_text[JOB_ID_TEXT_MAX], root[JOB_ROOT_MAX + 8];
	struct job_error error = { .field = "" };
	struct document_error bad;
	struct job_record job;
	int64_t id = 0;
	int r = document_parse(rq->call->body, &doc, &bad);

	if (r != 0)
		return r < 0 ? r : send_submitted(rq, 202, "0", bad.text, "");
	r = job_service_submit(rq->s, &rq->m, document_root(doc), &no_key, &id, &error);
	if (r > 0)
		return send_submitted(rq, 202, "0", error.text, "");
	if (r == 0)
		r = job_store_find(rq->s->db, id, &job);
	if (r != 0)
		return r < 0 ? r : -EUCLEAN;
	(void)snprintf(root, sizeof(root), "/srv%s", job.result_root);
	return send_submitted(rq, 200, services_job_id(rq->s, id, id_text), "", root);
}

static json_t *cancel_one(struct api_request *rq, const json_t *item)
{
	const char *text = json_string_value(item), *result = "failed", *message = "no such job";
	int64_t id;

	if (text && services_parse_job_id(rq->s, slice_from_text(text), &id) == 0) {
		int r = job_service_cancel(rq->s, &rq->m, id);

		if (r == 0) {
			result = "success";
			message = "";
		} else if (r == JOB_SERVICE_STATE) {
			message = "the job has ended";
		} else if (r < 0) {
			message = "the store failed";
		}
	}
	return json_pack("{s:s, s:s, s:s}", "result", result, "job_id", text ? text : "", "message",
	                 message);
}

int api_compass_cancel(struct api_request *rq)
{
	CLEANUP(document_freep) struct document *doc = NULL;
	struct document_error bad;
	json_t *results, *item;
	size_t i;
	int r = document_parse(rq->call->body, &doc, &bad);

	if (r != 0)
		return r < 0 ? r
		             : api_send_json(rq, 202, json_pack("{s:s}", "error_msg", bad.text));
	results = json_array();
	json_array_foreach(json_object_get(document_root(doc), "job_ids"), i, item)
	{
		(void)json_array_append_new(results, cancel_one(rq, item));
	}
	return api_send_json(rq, 200, json_pack("{s:o}", "results", results));
}

/* The job that a report is about; 1 when it names none. */
static int reported_job(const struct api_request *rq, int64_t *ret)
{
	char text[JOB_ID_TEXT_MAX];

	if (!api_query(rq, "job_id", text, sizeof(text)))
		return 1;
	return services_parse_job_id(rq->s, slice_from_text(text), ret);
}

/* What a report led to matters only when the store failed. */
static int say_done(struct api_request *rq, int r)
{
	if (r == ATTEMPT_FOREIGN)
		return api_problem(rq, 403, NULL, "not from the machine of this job");
	return r < 0 ? r : api_send_text(rq, 200, "Done");
}

int api_compass_done(struct api_request *rq)
{
	return say_done(rq, 0);
}

/* limit: the seconds of `timeout`, where a stage is said with it. */
static int report_word(struct api_request *rq, const char *key, usec_t limit)
{
	char word[64];
	int64_t job;

	if (reported_job(rq, &job) != 0 || !api_query(rq, key, word, sizeof(word)))
		return say_done(rq, 0);
	return say_done(rq, attempt_service_compass_state(rq->s, &rq->m, job, rq->call->peer,
	                                                  slice_from_text(word), limit));
}

int api_compass_append_var(struct api_request *rq)
{
	return report_word(rq, "job_state", 0);
}

int api_compass_job_stage(struct api_request *rq)
{
	return report_word(rq, "job_stage",
	                   api_query_u64(rq, "timeout", JOB_SECONDS_MAX, 0) * USEC_PER_SEC);
}

/* A step has no place in our table: the machine is alive, and that is all it says. */
int api_compass_job_step(struct api_request *rq)
{
	int64_t job;

	if (reported_job(rq, &job) != 0)
		return say_done(rq, 0);
	return say_done(rq, attempt_service_compass_state(rq->s, &rq->m, job, rq->call->peer,
	                                                  SLICE_NULL, 0));
}

int api_compass_event(struct api_request *rq)
{
	char text[200];

	log_debug("a client reports event=%s", text_escape(text, sizeof(text), rq->call->body));
	return say_done(rq, 0);
}

/* No job has several machines here: one that waits for its peers had better stop at once. */
int api_compass_sync(struct api_request *rq)
{
	return api_send_text(rq, 200, "abort");
}

int api_compass_post_run(struct api_request *rq)
{
	char word[64] = "";
	int64_t job;
	int r = 0;

	if (!api_query(rq, "job_health", word, sizeof(word)))
		(void)api_query(rq, "job_state", word, sizeof(word));
	if (reported_job(rq, &job) == 0)
		r = attempt_service_compass_finish(rq->s, &rq->m, job, rq->call->peer,
		                                   slice_from_text(word));
	if (r == ATTEMPT_FOREIGN || r < 0)
		return say_done(rq, r);
	return api_send_json(rq, 200, json_string("success"));
}

int api_compass_wtmp(struct api_request *rq)
{
	char state[64];
	int64_t job;

	if (reported_job(rq, &job) != 0 || !api_query(rq, "tbox_state", state, sizeof(state)))
		return say_done(rq, 0);
	if (strcmp(state, "rebooting") == 0)
		return say_done(rq,
		                attempt_service_compass_reboot(rq->s, &rq->m, job, rq->call->peer));
	return say_done(rq, attempt_service_compass_state(rq->s, &rq->m, job, rq->call->peer,
	                                                  strcmp(state, "running") == 0
	                                                          ? SLICE_LITERAL("setup")
	                                                          : slice_from_text(state),
	                                                  0));
}

/*
 * Text in, text out: the seconds that are left, or why not. From the machine of the job, which its
 * user is logged in at, or from somebody who may administer.
 */
int api_compass_renew(struct api_request *rq)
{
	uint64_t more = api_query_u64(rq, "time", JOB_SECONDS_MAX, 0);
	char text[64];
	int64_t job;
	usec_t left = 0;
	int r;

	if (reported_job(rq, &job) != 0 || more == 0)
		return api_send_text(rq, 500, "expected job_id=ID&time=SECONDS");
	if (!api_is_trusted(rq)) {
		r = attempt_service_is_job_machine(rq->s, job, rq->call->peer);
		if (r <= 0)
			return r < 0 ? r
			             : api_problem(rq, 403, NULL,
			                           "not from the machine of this job");
	}
	r = attempt_service_renew(rq->s, &rq->m, job, more * USEC_PER_SEC, &left);
	if (r < 0)
		return r;
	if (r == ATTEMPT_TOO_LONG)
		return api_send_text(rq, 500, "a run may last a year at most");
	if (r != ATTEMPT_OK)
		return api_send_text(rq, 500, "the job does not run");
	(void)snprintf(text, sizeof(text), "%" PRIu64, left / USEC_PER_SEC);
	return api_send_text(rq, 200, text);
}

/* What is left of the stage that the machine is in, as text. */
int api_compass_deadline(struct api_request *rq)
{
	char host[HOST_NAME_MAX_LEN], text[64] = "no deadline";
	usec_t left = 0;
	int r;

	if (!api_query(rq, "testbox", host, sizeof(host)))
		return api_send_text(rq, 500, "expected testbox=NAME");
	r = attempt_service_left(rq->s, &rq->m, host, &left);
	if (r < 0)
		return r;
	if (r == ATTEMPT_OK)
		(void)snprintf(text, sizeof(text), "%" PRIu64, left / USEC_PER_SEC);
	return api_send_text(rq, 200, text);
}

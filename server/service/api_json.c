/* SPDX-License-Identifier: MulanPSL-2.0 */
/*
 * Jobs, attempts, hosts and events as the API shows them (docs/api.md).
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "lib/base/macro.h"
#include "lib/base/text.h"
#include "server/service/api_request.h"
#include "server/service/attempt_service.h"
#include "server/service/job_service.h"
#include "server/store/attempt_store.h"
#include "server/store/host_store.h"

#define ATTEMPTS_SHOWN 32 /* of one job; more than max_tries and lost offers together */

json_t *api_time_json(usec_t wall, bool precise)
{
	time_t seconds = (time_t)(wall / USEC_PER_SEC);
	char text[64];
	struct tm tm;
	size_t len;

	if (wall == 0)
		return json_null();
	if (!gmtime_r(&seconds, &tm))
		return json_null();
	len = strftime(text, sizeof(text), "%Y-%m-%dT%H:%M:%S", &tm);
	if (precise)
		(void)snprintf(text + len, sizeof(text) - len, ".%03uZ",
		               (unsigned)(wall % USEC_PER_SEC / USEC_PER_MSEC));
	else
		(void)snprintf(text + len, sizeof(text) - len, "Z");
	return json_string(text);
}

json_t *api_text_json(const char *text)
{
	return text[0] ? json_string(text) : json_null();
}

static json_t *id_json(int64_t id)
{
	char text[24];

	(void)snprintf(text, sizeof(text), "%" PRId64, id);
	return json_string(text);
}

static json_t *attempt_json(const struct moment *m, const struct attempt *attempt)
{
	char mac[MAC_TEXT_MAX];

	return json_pack(
		"{s:o, s:s, s:s, s:s, s:o, s:o, s:o, s:o}", "id", id_json(attempt->id), "state",
		attempt_state_to_name((int)attempt->state), "host", attempt->host, "mac",
		mac_format(attempt->mac, ':', mac), "offered",
		api_time_json(attempt->offered_wall, false), "ended",
		api_time_json(attempt->ended_wall, false), "cause", api_text_json(attempt->cause),
		"deadline",
		attempt_state_is_final((int)attempt->state)
			? json_null()
			: json_integer((json_int_t)(attempt_left(m, attempt) / USEC_PER_SEC)));
}

static json_t *attempts_json(struct api_request *rq, int64_t job, char host[HOST_NAME_MAX_LEN])
{
	struct attempt *attempts = calloc(ATTEMPTS_SHOWN, sizeof(*attempts));
	json_t *list = json_array();
	int n = -1;

	host[0] = '\0';
	if (attempts && list)
		n = attempt_store_list(rq->s->db, job, attempts, ATTEMPTS_SHOWN);
	for (int i = 0; i < n; i++) {
		(void)snprintf(host, HOST_NAME_MAX_LEN, "%s", attempts[i].host);
		if (json_array_append_new(list, attempt_json(&rq->m, &attempts[i])) < 0)
			n = -1;
	}
	free(attempts);
	if (n < 0) {
		json_decref(list);
		return NULL;
	}
	return list;
}

static const char *results_word(const struct job_record *job)
{
	return job->results == RESULTS_THERE && job->is_kept
	               ? "kept"
	               : results_state_to_name((int)job->results);
}

json_t *api_job_json(struct api_request *rq, const struct job_record *job, const char *reason)
{
	char id[JOB_ID_TEXT_MAX], base[64], url[192];
	char host[HOST_NAME_MAX_LEN];
	json_t *attempts = attempts_json(rq, job->id, host);

	if (!attempts)
		return NULL;
	(void)services_job_id(rq->s, job->id, id);
	(void)snprintf(url, sizeof(url), "%s/v1/jobs/%s",
	               api_base_url(rq, rq->s->config.api_port, base), id);
	return json_pack(
		"{s:s, s:s, s:o, s:o, s:o, s:o, s:s, s:s, s:o, s:s, s:s, s:o, s:o, s:o, s:o,"
		" s:s}",
		"id", id, "state", job_state_to_name((int)job->state), "verdict",
		api_text_json(job->verdict ? job_verdict_to_name((int)job->verdict) : ""), "cause",
		api_text_json(job->cause), "upload", api_text_json(job->upload), "reason",
		api_text_json(reason), "suite", job->suite, "testbox", job->testbox, "host",
		api_text_json(host), "result_root", job->result_root, "results", results_word(job),
		"results_cause", api_text_json(retention_cause_to_name((int)job->results_cause)),
		"submitted", api_time_json(job->submitted_wall, false), "finished",
		api_time_json(job->finished_wall, false), "attempts", attempts, "url", url);
}

json_t *api_event_json(const struct services *s, const struct event *event)
{
	char mac[MAC_TEXT_MAX], job[JOB_ID_TEXT_MAX] = "";
	json_t *fields = json_loads(event->fields, 0, NULL);

	if (event->job)
		(void)services_job_id(s, event->job, job);
	return json_pack("{s:I, s:o, s:I, s:s, s:o, s:o, s:o, s:o, s:o}", "id",
	                 (json_int_t)event->id, "time", api_time_json(event->wall, true), "mono_us",
	                 (json_int_t)event->mono, "kind", event_kind_to_name((int)event->kind),
	                 "host", api_text_json(event->host), "mac",
	                 mac_is_zero(event->mac) ? json_null()
	                                         : json_string(mac_format(event->mac, ':', mac)),
	                 "job", api_text_json(job), "attempt",
	                 event->attempt ? id_json(event->attempt) : json_null(), "fields",
	                 fields ? fields : json_object());
}

static json_t *flags_json(unsigned flags)
{
	json_t *list = json_array();

	for (int bit = 0; bit < HOST_N_FLAGS; bit++)
		if (flags & (1U << bit))
			(void)json_array_append_new(list, json_string(host_flag_to_name(bit)));
	return list;
}

static json_t *macs_json(struct api_request *rq, const struct host *host, uint32_t *ret_address)
{
	struct mac macs[HOST_MACS_MAX];
	char text[MAC_TEXT_MAX];
	json_t *list = json_array();
	int n = host_store_macs(rq->s->db, host->name, macs, HOST_MACS_MAX);

	for (int i = 0; i < n; i++) {
		struct known_machine machine;

		(void)json_array_append_new(list, json_string(mac_format(macs[i], ':', text)));
		if (*ret_address == 0 && host_store_machine_of(rq->s->db, macs[i], &machine) == 0)
			*ret_address = machine.address;
	}
	return list;
}

/* A host without queues shows the names that stand for them. */
static json_t *queues_json(const struct host *host)
{
	struct slice groups[HOST_GROUPS_MAX];
	json_t *list = json_array();

	for (unsigned i = 0; i < host->n_queues; i++)
		(void)json_array_append_new(list, json_string(host->queues[i]));
	if (host->n_queues > 0)
		return list;
	(void)json_array_append_new(list, json_string(host->name));
	for (unsigned i = 0, n = host_groups(slice_from_text(host->name), groups); i < n; i++)
		(void)json_array_append_new(
			list, json_stringn((const char *)groups[i].data, groups[i].len));
	return list;
}

json_t *api_host_json(struct api_request *rq, const struct host *host)
{
	char address[IPV4_TEXT_MAX] = "", job[JOB_ID_TEXT_MAX] = "";
	struct attempt attempt;
	uint32_t where = 0;
	json_t *macs = macs_json(rq, host, &where);

	if (where)
		(void)ipv4_format(where, address);
	if (attempt_store_find_open_of_host(rq->s->db, host->name, &attempt) == 0)
		(void)services_job_id(rq->s, attempt.job, job);
	return json_pack("{s:s, s:s, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:b, s:o, s:o}",
	                 "name", host->name, "state", host_state_to_name((int)host->state), "flags",
	                 flags_json(host->flags), "reason", api_text_json(host->reason), "macs",
	                 macs, "queues", queues_json(host), "address", api_text_json(address),
	                 "arch", api_text_json(host->arch), "job", api_text_json(job), "seen",
	                 api_time_json(host->seen_wall, false), "known",
	                 (int)!(host->flags & HOST_FLAG_DISCOVERED), "reserved_for",
	                 api_text_json(host->reserved_for), "power",
	                 api_power_json(rq, host->name));
}

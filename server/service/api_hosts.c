/* SPDX-License-Identifier: MulanPSL-2.0 */
/*
 * /v1/hosts, and the registration calls of Compass-CI (200 always; `Done` or `No yet!`).
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/base/macro.h"
#include "lib/base/text.h"
#include "lib/doc/document.h"
#include "lib/doc/job.h"
#include "server/service/api_routes.h"
#include "server/service/blame_service.h"
#include "server/service/host_service.h"
#include "server/store/host_store.h"

#define HOSTS_PAGE 64

int api_hosts_list(struct api_request *rq)
{
	CLEANUP(freep) struct host *hosts = calloc(HOSTS_PAGE, sizeof(*hosts));
	char after[HOST_NAME_MAX_LEN] = "";
	json_t *list = json_array();
	int n;

	if (!hosts || !list) {
		json_decref(list);
		return -ENOMEM;
	}
	do {
		n = host_store_list(rq->s->db, after, hosts, HOSTS_PAGE);
		for (int i = 0; i < n; i++) {
			memcpy(after, hosts[i].name, sizeof(after));
			if (json_array_append_new(list, api_host_json(rq, &hosts[i])) < 0)
				n = -ENOMEM;
		}
	} while (n == HOSTS_PAGE);
	if (n < 0) {
		json_decref(list);
		return n;
	}
	return api_send_json(rq, 200, json_pack("{s:o}", "hosts", list));
}

static int refuse_name(struct api_request *rq)
{
	char text[96];

	return api_problem(rq, 404, NULL, "there is no host %s",
	                   text_escape(text, sizeof(text), rq->args.arg[0]));
}

static int find_host(struct api_request *rq, struct host *ret)
{
	char name[HOST_NAME_MAX_LEN];

	if (text_copy(name, sizeof(name), rq->args.arg[0]) != 0)
		return HOST_STORE_ABSENT;
	return host_store_find(rq->s->db, name, ret);
}

int api_hosts_show(struct api_request *rq)
{
	struct host host;
	int r = find_host(rq, &host);

	if (r != 0)
		return r < 0 ? r : refuse_name(rq);
	return api_send_json(rq, 200, api_host_json(rq, &host));
}

/* What a host service outcome means to a client of /v1. */
static int refuse(struct api_request *rq, int outcome, const struct host_document_error *error)
{
	switch (outcome) {
	case HOST_SERVICE_ABSENT:
		return refuse_name(rq);
	case HOST_SERVICE_READ_ONLY:
		return api_problem(rq, 409, NULL, "a host file defines it: change that");
	case HOST_SERVICE_BUSY:
		return api_problem(rq, 409, NULL, "a job runs on that machine");
	default:
		break;
	}
	return api_problem(rq, 400, error && error->key[0] ? error->key : NULL, "%s",
	                   error ? error->text : "expected a name of a host");
}

/* The host's own document with the keys of the body set over it. */
static int merge_document(struct api_request *rq, const json_t *changes, json_t **ret)
{
	struct buffer text = BUFFER_NULL;
	json_t *doc = NULL;
	struct host host;
	int r = find_host(rq, &host);

	if (r == 0)
		r = host_store_document(rq->s->db, host.name, &text);
	if (r == 0)
		doc = json_loadb((const char *)text.data, text.len, 0, NULL);
	buffer_deinit(&text);
	if (r < 0)
		return r;
	if (!doc)
		doc = json_object();
	if (json_is_object(changes) && json_object_update(doc, (json_t *)changes) < 0) {
		json_decref(doc);
		return -ENOMEM;
	}
	*ret = doc;
	return 0;
}

int api_hosts_put(struct api_request *rq)
{
	CLEANUP(document_freep) struct document *body = NULL;
	struct host_document_error error = { .key = "" };
	struct document_error bad;
	json_t *doc = NULL;
	int r = document_parse(rq->call->body, &body, &bad);

	if (r != 0)
		return r < 0 ? r : api_problem(rq, 400, NULL, "%s", bad.text);
	if (!json_is_object(document_root(body)))
		return api_problem(rq, 400, NULL, "expected an object of keys to change");
	r = merge_document(rq, document_root(body), &doc);
	if (r == 0)
		r = db_begin(rq->s->db);
	if (r == 0) {
		r = host_service_put(&rq->s->hosts, rq->args.arg[0], doc, &error);
		if (r > 0)
			services_rollback(rq->s);
		else
			r = services_finish(rq->s, r);
	}
	json_decref(doc);
	if (r < 0)
		return r;
	return r > 0 ? refuse(rq, r, &error) : api_hosts_show(rq);
}

int api_hosts_delete(struct api_request *rq)
{
	struct host host;
	int r = find_host(rq, &host);

	if (r != 0)
		return r < 0 ? r : refuse_name(rq);
	r = db_begin(rq->s->db);
	if (r < 0)
		return r;
	r = services_finish(rq->s, host_service_delete(&rq->s->hosts, host.name));
	if (r != 0)
		return r < 0 ? r : refuse(rq, r, NULL);
	rq->answer->status = 204;
	return 0;
}

static int set_flag(struct api_request *rq, enum host_flag flag, bool on)
{
	char reason[HOST_REASON_MAX] = "";
	struct host host;
	int r = find_host(rq, &host);

	if (r != 0)
		return r < 0 ? r : refuse_name(rq);
	if (!api_query(rq, "reason", reason, sizeof(reason)))
		(void)api_form(rq, "reason", reason, sizeof(reason)); /* none is fine */
	r = db_begin(rq->s->db);
	if (r < 0)
		return r;
	r = services_finish(
		rq->s, host_service_set_flag(&rq->s->hosts, &rq->m, host.name, flag, on, reason));
	return r < 0 ? r : api_hosts_show(rq);
}

int api_hosts_drain(struct api_request *rq)
{
	return set_flag(rq, HOST_FLAG_DRAIN, true);
}

int api_hosts_undrain(struct api_request *rq)
{
	return set_flag(rq, HOST_FLAG_DRAIN, false);
}

/* ?user=NAME&for=SECONDS */
static int reserve(struct api_request *rq)
{
	char user[HOST_OWNER_MAX];
	uint64_t length = api_query_u64(rq, "for", JOB_SECONDS_MAX, 0);
	struct host host;
	int r = find_host(rq, &host);

	if (r != 0)
		return r < 0 ? r : refuse_name(rq);
	if (!api_query(rq, "user", user, sizeof(user)) || !user[0])
		return api_problem(rq, 400, "user", "expected the account or mail address of jobs");
	if (length == 0)
		return api_problem(rq, 400, "for", "expected seconds, at most a year");
	r = db_begin(rq->s->db);
	if (r < 0)
		return r;
	r = services_finish(rq->s,
	                    host_service_reserve(&rq->s->hosts, &rq->m, host.name, user,
	                                         usec_add(rq->m.steady, length * USEC_PER_SEC)));
	return r < 0 ? r : api_hosts_show(rq);
}

/* What people may set; the others say what a host is. */
#define FLAGS_OF_PEOPLE                                                                            \
	(HOST_FLAG_DRAIN | HOST_FLAG_QUARANTINE | HOST_FLAG_MAINTENANCE | HOST_FLAG_NEEDS_CHECK |  \
	 HOST_FLAG_RESERVED | HOST_FLAG_BROKEN)

static int change_flag(struct api_request *rq, bool on)
{
	unsigned flag = host_flag_from_name(rq->args.arg[1]);

	if (!(flag & FLAGS_OF_PEOPLE))
		return api_problem(rq, 404, NULL,
		                   "expected one of drain, quarantine, maintenance, needs_check, "
		                   "reserved, broken");
	if (on && flag == HOST_FLAG_RESERVED)
		return reserve(rq);
	return set_flag(rq, (enum host_flag)flag, on);
}

int api_hosts_set_flag(struct api_request *rq)
{
	return change_flag(rq, true);
}

int api_hosts_clear_flag(struct api_request *rq)
{
	return change_flag(rq, false);
}

int api_hosts_check(struct api_request *rq)
{
	struct host host;
	int r = find_host(rq, &host);

	if (r != 0)
		return r < 0 ? r : refuse_name(rq);
	r = db_begin(rq->s->db);
	if (r < 0)
		return r;
	r = services_finish(rq->s, blame_service_check(rq->s, &rq->m, host.name));
	if (r == BLAME_NO_JOB)
		return api_problem(rq, 409, NULL,
		                   "the configuration names no health job that can be used");
	return r < 0 ? r : api_hosts_show(rq);
}

/* Ends the transaction of a registration and says how it went, as Compass-CI does. */
static int say_done(struct api_request *rq, int r)
{
	if (r > 0) {
		services_rollback(rq->s);
		return api_send_text(rq, 200, "No yet!");
	}
	r = services_finish(rq->s, r);
	return r < 0 ? r : api_send_text(rq, 200, "Done");
}

/* Reads a value of the query and begins a transaction; 1 when it is missing. */
static int begin_with(struct api_request *rq, const char *key, char *to, size_t size)
{
	if (!api_query(rq, key, to, size))
		return 1;
	return db_begin(rq->s->db);
}

int api_set_host_mac(struct api_request *rq)
{
	char name[HOST_NAME_MAX_LEN], text[MAC_TEXT_MAX];
	struct mac mac;
	int r;

	if (!api_query(rq, "mac", text, sizeof(text)) ||
	    mac_parse(slice_from_text(text), &mac) != 0)
		return api_send_text(rq, 200, "No yet!");
	r = begin_with(rq, "hostname", name, sizeof(name));
	if (r != 0)
		return r < 0 ? r : api_send_text(rq, 200, "No yet!");
	return say_done(rq, host_service_set_mac(&rq->s->hosts, slice_from_text(name), mac));
}

int api_del_host_mac(struct api_request *rq)
{
	char text[MAC_TEXT_MAX];
	struct mac mac;
	int r = begin_with(rq, "mac", text, sizeof(text));

	if (r != 0)
		return r < 0 ? r : api_send_text(rq, 200, "No yet!");
	if (mac_parse(slice_from_text(text), &mac) != 0)
		return say_done(rq, HOST_SERVICE_BAD);
	return say_done(rq, host_service_delete_mac(&rq->s->hosts, mac));
}

int api_set_host_queues(struct api_request *rq)
{
	char name[HOST_NAME_MAX_LEN], queues[1024];
	int r;

	if (!api_query(rq, "queues", queues, sizeof(queues)))
		return api_send_text(rq, 200, "No yet!");
	r = begin_with(rq, "host", name, sizeof(name));
	if (r != 0)
		return r < 0 ? r : api_send_text(rq, 200, "No yet!");
	return say_done(rq, host_service_set_queues(&rq->s->hosts, slice_from_text(name),
	                                            slice_from_text(queues)));
}

int api_del_host_queues(struct api_request *rq)
{
	char name[HOST_NAME_MAX_LEN];
	int r = begin_with(rq, "host", name, sizeof(name));

	if (r != 0)
		return r < 0 ? r : api_send_text(rq, 200, "No yet!");
	return say_done(rq,
	                host_service_set_queues(&rq->s->hosts, slice_from_text(name), SLICE_NULL));
}

/* The host as /v1/hosts shows it; {} for none. */
int api_get_testbox(struct api_request *rq)
{
	char name[HOST_NAME_MAX_LEN];
	struct host host;
	int r = HOST_STORE_ABSENT;

	if (api_query(rq, "testbox", name, sizeof(name)))
		r = host_store_find(rq->s->db, name, &host);
	if (r < 0)
		return r;
	return r == 0 ? api_send_json(rq, 200, api_host_json(rq, &host))
	              : api_send_json(rq, 500, json_object());
}

/* SPDX-License-Identifier: MulanPSL-2.0 */
/*
 * /v1/attempts: what the agent and the initramfs say.
 */
#include <errno.h>
#include <stdio.h>

#include "lib/base/macro.h"
#include "lib/base/text.h"
#include "server/proto/url_query.h"
#include "server/service/api_routes.h"
#include "server/service/attempt_service.h"
#include "server/store/host_store.h"

static int64_t attempt_id(const struct api_request *rq)
{
	uint64_t id;

	return text_parse_u64(rq->args.arg[0], INT64_MAX, &id) == 0 ? (int64_t)id : 0;
}

static int send_answer(struct api_request *rq, int outcome, const struct message_answer *answer)
{
	if (outcome < 0)
		return outcome;
	if (outcome == ATTEMPT_NO_TOKEN)
		return api_problem(rq, 401, NULL, "not the token of this attempt");
	if (outcome == ATTEMPT_GONE)
		return api_problem(rq, 410, NULL, "the attempt is over: stop");
	if (outcome != ATTEMPT_OK)
		return api_problem(rq, 403, NULL, "not from the machine of this attempt");
	rq->answer->status = 200;
	rq->answer->content_type = "application/json";
	message_answer_build(&rq->answer->body, answer);
	return buffer_error(&rq->answer->body);
}

static int refuse_body(struct api_request *rq)
{
	return api_problem(rq, 400, NULL, "the body is not what this call takes");
}

int api_agent_hello(struct api_request *rq)
{
	struct message_hello hello;
	struct message_answer answer = { .next = -1 };

	if (message_hello_parse(rq->call->body, &hello) != 0)
		return refuse_body(rq);
	return send_answer(rq,
	                   attempt_service_hello(rq->s, &rq->m, attempt_id(rq), api_bearer(rq),
	                                         &hello, &answer),
	                   &answer);
}

int api_agent_stage(struct api_request *rq)
{
	struct message_stage_report report;
	struct message_answer answer = { .next = -1 };

	if (message_stage_parse(rq->call->body, &report) != 0)
		return refuse_body(rq);
	return send_answer(rq,
	                   attempt_service_stage(rq->s, &rq->m, attempt_id(rq), api_bearer(rq),
	                                         &report, &answer),
	                   &answer);
}

int api_agent_heartbeat(struct api_request *rq)
{
	struct message_answer answer = { .next = -1 };

	return send_answer(
		rq,
		attempt_service_heartbeat(rq->s, &rq->m, attempt_id(rq), api_bearer(rq), &answer),
		&answer);
}

int api_agent_finish(struct api_request *rq)
{
	struct message_finish finish;
	struct message_answer answer = { .next = -1 };
	int r = message_finish_parse(rq->call->body, &finish);

	if (r != 0)
		return r < 0 ? r : refuse_body(rq);
	r = attempt_service_finish(rq->s, &rq->m, attempt_id(rq), api_bearer(rq), &finish, &answer);
	message_finish_deinit(&finish);
	return send_answer(rq, r, &answer);
}

#define REPORT_PAIRS_MAX 16

/* A form-encoded body as an object of texts; bytes that are no ASCII are escaped. */
static json_t *form_fields(struct slice body)
{
	json_t *fields = json_object();
	struct slice key, value;

	for (int i = 0; i < REPORT_PAIRS_MAX && url_query_next(&body, &key, &value); i++) {
		uint8_t key_room[32], value_room[128];
		struct bytes k = BYTES_ON(key_room), v = BYTES_ON(value_room);
		char key_text[64], value_text[256];

		url_query_decode(key, &k);
		url_query_decode(value, &v);
		(void)text_escape(key_text, sizeof(key_text), bytes_slice(&k));
		(void)text_escape(value_text, sizeof(value_text), bytes_slice(&v));
		(void)json_object_set_new(fields, key_text, json_string(value_text));
	}
	return fields;
}

/* `stage=root` and its like name the kind; everything else is the start of the initramfs. */
static enum event_kind report_kind(const struct api_request *rq)
{
	char stage[32], name[64];
	int kind = -1;

	if (api_form(rq, "stage", stage, sizeof(stage))) {
		(void)snprintf(name, sizeof(name), "initramfs.%s", stage);
		kind = event_kind_from_name(slice_from_text(name));
	}
	return kind < 0 ? EVENT_INITRAMFS_START : (enum event_kind)kind;
}

int api_agent_report(struct api_request *rq)
{
	const struct message_answer answer = { .next = -1 };
	json_t *fields = form_fields(rq->call->body);
	int r = -ENOMEM;

	if (fields)
		r = attempt_service_report(rq->s, &rq->m, attempt_id(rq), api_bearer(rq),
		                           report_kind(rq), fields);
	json_decref(fields);
	return send_answer(rq, r, &answer);
}

/* Early boot without an attempt: believed only from the address that this card has. */
static int record_boot(struct api_request *rq, struct mac mac, json_t *fields)
{
	struct known_machine machine;
	struct subject subject;
	int r = host_store_machine_of(rq->s->db, mac, &machine);

	if (r != 0 || machine.address != rq->call->peer)
		return r < 0 ? r : ATTEMPT_FOREIGN;
	subject = (struct subject){ .host = machine.name, .mac = mac };
	return services_event(rq->s, &rq->m, report_kind(rq), &subject, "O", fields);
}

int api_boot_report(struct api_request *rq)
{
	const struct message_answer answer = { .next = -1 };
	json_t *fields;
	struct mac mac;
	int r;

	if (mac_parse(rq->args.arg[0], &mac) != 0)
		return api_problem(rq, 400, NULL, "expected an Ethernet address");
	fields = form_fields(rq->call->body);
	r = fields ? db_begin(rq->s->db) : -ENOMEM;
	if (r == 0)
		r = services_finish(rq->s, record_boot(rq, mac, fields));
	json_decref(fields);
	return send_answer(rq, r, &answer);
}

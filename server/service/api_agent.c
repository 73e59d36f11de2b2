/* SPDX-License-Identifier: MulanPSL-2.0 */
/*
 * /v1/attempts: what the agent and the initramfs say.
 */
#include <errno.h>

#include "lib/base/macro.h"
#include "lib/base/text.h"
#include "server/service/api_routes.h"
#include "server/service/attempt_service.h"
#include "server/service/boot_log.h"

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
	if (outcome == ATTEMPT_OTHER)
		return api_problem(
			rq, 409, NULL,
			"the attempt was finished with another manifest: that one counts");
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

int api_agent_report(struct api_request *rq)
{
	const struct message_answer answer = { .next = -1 };
	struct boot_report report;

	if (boot_report_parse(rq->call->body, &report) != 0)
		return refuse_body(rq);
	return send_answer(
		rq, attempt_service_report(rq->s, &rq->m, attempt_id(rq), api_bearer(rq), &report),
		&answer);
}

int api_boot_report(struct api_request *rq)
{
	const struct message_answer answer = { .next = -1 };
	struct boot_report report;
	struct mac mac;

	if (mac_parse(rq->args.arg[0], &mac) != 0)
		return api_problem(rq, 400, NULL, "expected an Ethernet address");
	if (boot_report_parse(rq->call->body, &report) != 0)
		return refuse_body(rq);
	return send_answer(rq,
	                   attempt_service_boot_report(rq->s, &rq->m, mac, rq->call->peer, &report),
	                   &answer);
}

/* What came with the last failure, or panic, of a boot without an attempt. */
int api_boot_log(struct api_request *rq)
{
	struct mac mac;
	int r;

	if (mac_parse(rq->args.arg[0], &mac) != 0)
		return api_problem(rq, 400, NULL, "expected an Ethernet address");
	r = boot_log_read_machine(rq->s, mac, &rq->answer->body);
	if (r < 0)
		return r == -ENOENT
		               ? api_problem(rq, 404, NULL, "no boot of this machine has failed")
		               : r;
	rq->answer->status = 200;
	rq->answer->content_type = "text/plain; charset=utf-8";
	return 0;
}

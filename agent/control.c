/* SPDX-License-Identifier: MulanPSL-2.0 */
/*
 * POST requests to SERVER/v1/attempts/ATTEMPT/CALL.
 */
#include "agent/control.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "lib/base/buffer.h"
#include "lib/base/log.h"
#include "lib/sys/clock.h"

struct control {
	struct client *client;
	const struct identity *id;
	control_answer_fn on_answer;
	void *userdata;
	struct client_call *call; /* under way, or NULL */
	enum step_call kind;      /* of it */
};

static const char *const call_paths[] = {
	[STEP_CALL_HELLO] = "hello",
	[STEP_CALL_STAGE] = "stage",
	[STEP_CALL_HEARTBEAT] = "heartbeat",
	[STEP_CALL_FINISH] = "finish",
};

static usec_t uptime_ms(void)
{
	return clock_now() / USEC_PER_MSEC;
}

static void on_reply(void *userdata, const struct client_reply *reply)
{
	struct control *c = userdata;
	struct message_answer body;
	bool is_readable = message_answer_parse(reply->body, &body) == 0;
	bool is_good = reply->status >= 200 && reply->status < 300;

	c->call = NULL;
	if (!is_good)
		log_info("%s: status=%u error=\"%s\"", call_paths[c->kind], reply->status,
		         reply->error ? reply->error : "");
	c->on_answer(c->userdata, reply, is_good && is_readable ? &body : NULL);
}

static void build_hello(const struct control *c, struct buffer *out)
{
	struct message_hello m = { .api = MESSAGE_API, .uptime_ms = uptime_ms() };

	(void)snprintf(m.boot_id, sizeof(m.boot_id), "%s", c->id->boot_id);
	(void)snprintf(m.agent, sizeof(m.agent), "%s", CCI_VERSION);
	(void)snprintf(m.kernel, sizeof(m.kernel), "%s", c->id->kernel);
	message_hello_build(out, &m);
}

static void build_finish(const struct step *step, struct spool *spool, bool is_output_cut,
                         struct buffer *out)
{
	struct message_finish m = {
		.verdict = step->verdict,
		.exit_code = step->exit_code,
		.cut = is_output_cut,
	};
	const struct message_file *manifest = NULL;

	(void)snprintf(m.cause, sizeof(m.cause), "%s", step_cause_to_name(step->cause));
	if (spool_manifest(spool, &manifest, &m.n_manifest) < 0)
		out->failed = true;
	m.manifest = (struct message_file *)manifest; /* only read */
	message_finish_build(out, &m);
}

int control_new(struct client *client, const struct identity *id, control_answer_fn on_answer,
                void *userdata, struct control **ret)
{
	struct control *c = calloc(1, sizeof(*c));

	if (!c)
		return -ENOMEM;
	c->client = client;
	c->id = id;
	c->on_answer = on_answer;
	c->userdata = userdata;
	*ret = c;
	return 0;
}

void control_free(struct control *control)
{
	if (!control)
		return;
	if (control->call)
		client_cancel(control->call);
	free(control);
}

int control_send(struct control *control, const struct step *step, struct spool *spool,
                 bool is_output_cut)
{
	const struct message_stage_report stage = { step->call_stage, uptime_ms() };
	struct buffer body = BUFFER_NULL;
	char url[2 * ATTEMPT_VALUE_MAX + 40];
	struct client_request request = { .method = "POST", .url = url, .fd = -1 };
	int r;

	switch (step->call) {
	case STEP_CALL_HELLO:
		build_hello(control, &body);
		break;
	case STEP_CALL_STAGE:
		message_stage_build(&body, &stage);
		break;
	case STEP_CALL_HEARTBEAT:
		message_heartbeat_build(&body, uptime_ms());
		break;
	case STEP_CALL_FINISH:
		build_finish(step, spool, is_output_cut, &body);
		break;
	}
	control->kind = step->call;
	(void)snprintf(url, sizeof(url), "%s/v1/attempts/%s/%s", control->id->attempt.server,
	               control->id->attempt.attempt, call_paths[control->kind]);
	request.body = buffer_slice(&body);
	r = buffer_error(&body);
	if (r == 0)
		r = client_send(control->client, &request, on_reply, control, &control->call);
	buffer_deinit(&body);
	return r;
}

/* SPDX-License-Identifier: MulanPSL-2.0 */
/*
 * A test machine: iPXE asks by DHCP and HTTP as it does, a kernel boots, the agent's own step
 * decides what the agent does. Every answer may fail to come.
 */
#include "tests/sim/sim.h"

#include "lib/doc/message.h"
#include "tests/support/dhcp_client.h"
#include "tests/support/services_agent.h"

#define ANSWER_TIMEOUT (60 * USEC_PER_SEC) /* iPXE's and the agent's patience */

static usec_t agent_now(const struct sim *s, const struct machine_sim *m)
{
	return s->w->now + m->skew;
}

/* ---- requests ---- */

static void ask(struct sim *s, struct machine_sim *m, struct sim_message *message)
{
	message->request = m->request = ++s->n_requests;
	m->give_up_at = s->w->now + ANSWER_TIMEOUT;
	sim_send(s, m->number, m->life, message);
	sim_wake(s, m, m->give_up_at);
}

PRINTF_LIKE(3, 4)
static void get(struct sim *s, struct machine_sim *m, const char *format, ...)
{
	struct sim_message *message = sim_message_new(SIM_API);
	va_list args;

	va_start(args, format);
	(void)vsnprintf(message->target, sizeof(message->target), format, args);
	va_end(args);
	message->method = HTTP_METHOD_GET;
	ask(s, m, message);
}

/* A call of the agent, whose token it carries. */
static void agent_says(struct sim *s, struct machine_sim *m, const char *verb,
                       const struct buffer *body)
{
	struct sim_message *message = sim_message_new(SIM_API);

	message->method = HTTP_METHOD_POST;
	(void)snprintf(message->target, sizeof(message->target), "/v1/attempts/%s/%s", m->attempt,
	               verb);
	(void)snprintf(message->token, sizeof(message->token), "%s", m->token);
	buffer_append_slice(&message->body, buffer_slice(body));
	ask(s, m, message);
}

static void send_dhcp(struct sim *s, struct machine_sim *m, enum dhcp_type type, uint32_t offered)
{
	struct sim_message *message = sim_message_new(SIM_DHCP);
	static struct client_packet c;

	client_init(&c, type);
	memcpy(c.header.chaddr, m->mac.octet, sizeof(m->mac.octet));
	c.header.xid = m->xid;
	client_add_ipxe(&c, 7);
	if (type == DHCP_REQUEST) {
		client_add_u32(&c, DHCP_OPTION_REQUESTED, offered);
		client_add_u32(&c, DHCP_OPTION_SERVER_ID, WORLD_SERVER);
	}
	buffer_append_slice(&message->body, client_wire(&c));
	ask(s, m, message);
	m->give_up_at = s->w->now + 4 * USEC_PER_SEC;
	sim_wake(s, m, m->give_up_at);
}

/* ---- the job's code ---- */

static void end_code(struct sim *s, struct machine_sim *m)
{
	check_code_ends(s, m);
	m->executes = false;
	m->code_ends_at = USEC_INFINITY;
}

static void begin_code(struct sim *s, struct machine_sim *m)
{
	m->executes = m->was_started = true;
	m->exit_code = sim_chance(s, 200) ? 1 : 0;
	m->is_stubborn = sim_chance(s, 100);
	m->says_reboot = sim_chance(s, 150);
	m->code_ends_at = s->w->now + sim_between_ms(s, 1000, 90000);
	if (sim_chance(s, 60)) /* it hangs */
		m->code_ends_at = USEC_INFINITY;
	check_code_begins(s, m);
}

/* ---- lives ---- */

void machine_reset(struct sim *s, struct machine_sim *m, usec_t delay)
{
	end_code(s, m);
	m->life++;
	m->state = MACHINE_OFF;
	m->request = 0;
	sim_wake(s, m, s->w->now + delay);
}

static void power_on(struct sim *s, struct machine_sim *m)
{
	m->state = MACHINE_DHCP;
	m->xid = (uint32_t)rng_next(&s->rng) | 1;
	send_dhcp(s, m, DHCP_DISCOVER, 0);
}

static void hello(struct sim *s, struct machine_sim *m, const char *mode)
{
	struct message_hello said = { .api = 1, .uptime_ms = 1 };
	struct buffer body = BUFFER_NULL;

	(void)snprintf(said.boot_id, sizeof(said.boot_id), "%d-%u", m->number, m->life);
	(void)snprintf(said.agent, sizeof(said.agent), "sim");
	(void)snprintf(said.mode, sizeof(said.mode), "%s", mode);
	message_hello_build(&body, &said);
	agent_says(s, m, "hello", &body);
	buffer_deinit(&body);
}

static void say_finish(struct sim *s, struct machine_sim *m)
{
	struct message_finish said = { .verdict = m->step.verdict, .exit_code = m->step.exit_code };
	struct buffer body = BUFFER_NULL;

	(void)snprintf(said.cause, sizeof(said.cause), "%s",
	               step_cause_to_name((int)m->step.cause));
	message_finish_build(&body, &said);
	agent_says(s, m, "finish", &body);
	buffer_deinit(&body);
}

static void say_stage(struct sim *s, struct machine_sim *m, enum message_stage stage)
{
	struct message_stage_report said = { .stage = stage, .uptime_ms = 1, .within_sec = 300 };
	struct buffer body = BUFFER_NULL;

	(void)snprintf(said.boot_id, sizeof(said.boot_id), "%d-%u", m->number, m->life);
	message_stage_build(&body, &said);
	agent_says(s, m, "stage", &body);
	buffer_deinit(&body);
}

static void call(struct sim *s, struct machine_sim *m)
{
	struct buffer body = BUFFER_NULL;

	switch (m->step.call) {
	case STEP_CALL_HELLO:
		hello(s, m, "");
		return;
	case STEP_CALL_STAGE:
		say_stage(s, m, m->step.call_stage);
		return;
	case STEP_CALL_HEARTBEAT:
		message_heartbeat_build(&body, 1);
		agent_says(s, m, "heartbeat", &body);
		buffer_deinit(&body);
		return;
	case STEP_CALL_FINISH:
		say_finish(s, m);
		return;
	}
}

/* The agent does what its step wants, until that waits. */
static void run_agent(struct sim *s, struct machine_sim *m)
{
	for (;;) {
		switch (step_next(&m->step, agent_now(s, m))) {
		case STEP_WANT_WAIT: {
			usec_t at = step_deadline(&m->step);

			if (at != USEC_INFINITY)
				sim_wake(s, m, at > m->skew ? at - m->skew : 0);
			if (m->executes && m->code_ends_at != USEC_INFINITY)
				sim_wake(s, m, m->code_ends_at);
			return;
		}
		case STEP_WANT_CALL:
			call(s, m);
			break;
		case STEP_WANT_START:
			begin_code(s, m);
			step_started(&m->step, 0, agent_now(s, m));
			break;
		case STEP_WANT_TERM:
			if (!m->is_stubborn)
				m->code_ends_at = usec_min(
					m->code_ends_at, s->w->now + sim_between_ms(s, 10, 15000));
			break;
		case STEP_WANT_KILL:
			if (m->executes)
				end_code(s, m);
			step_exited(&m->step, -1, agent_now(s, m));
			step_emptied(&m->step, agent_now(s, m));
			break;
		case STEP_WANT_COLLECT:
			step_uploaded(&m->step, agent_now(s, m));
			break;
		case STEP_WANT_GIVE_UP:
			break;
		case STEP_WANT_END:
			machine_reset(s, m, sim_between_ms(s, 1000, 20000));
			return;
		}
	}
}

static void code_ends(struct sim *s, struct machine_sim *m)
{
	end_code(s, m);
	if (m->says_reboot && m->step.state == STEP_STATE_RUNNING && !m->step.is_calling) {
		say_stage(s, m, MESSAGE_STAGE_REBOOTING); /* and goes down when it is answered */
		return;
	}
	m->says_reboot = false;
	step_exited(&m->step, m->exit_code, agent_now(s, m));
	step_emptied(&m->step, agent_now(s, m));
}

/* ---- what time brings ---- */

static void load(struct sim *s, struct machine_sim *m)
{
	static const char image[] = "/initrd/osimage/debian/x86_64/bookworm/20260102.0.cgz";
	static const struct {
		const char *path;
		unsigned phase; /* 1: begins */
	} steps[] = { { image, 1 }, { image, 2 }, { kernel_path, 1 }, { kernel_path, 2 } };
	struct sim_message *message;

	if (m->loading == ARRAY_SIZE(steps)) {
		m->state = MACHINE_BOOT;
		sim_wake(s, m, s->w->now + sim_between_ms(s, 2000, 40000));
		return;
	}
	message = sim_message_new(SIM_TRANSFER);
	message->status = steps[m->loading].phase;
	(void)snprintf(message->target, sizeof(message->target), "%s", steps[m->loading].path);
	m->loading++;
	server_take(s, m->number, m->life, message); /* a worker tells main, over a socketpair */
	sim_message_free(message);
	sim_wake(s, m, s->w->now + sim_between_ms(s, 100, 5000));
}

static void begin_agent(struct sim *s, struct machine_sim *m)
{
	if (sim_chance(s, 30)) { /* the root is not there */
		struct buffer body = BUFFER_NULL;

		buffer_append_text(&body, "stage=root&step=fetch&cause=none&detail=x&uptime_ms=9");
		agent_says(s, m, "report", &body);
		buffer_deinit(&body);
		machine_reset(s, m, 10 * USEC_PER_SEC);
		return;
	}
	m->state = MACHINE_AGENT;
	m->request = 0;
	m->was_started = false;
	m->skew = sim_between_ms(s, 0, 1000000000);
	step_init(&m->step, rng_next(&s->rng), false, agent_now(s, m));
	run_agent(s, m);
}

/* Nobody answered: what is asked again. */
static void give_up(struct sim *s, struct machine_sim *m)
{
	char mac[MAC_TEXT_MAX];

	m->request = 0;
	switch (m->state) {
	case MACHINE_DHCP:
		power_on(s, m);
		break;
	case MACHINE_FIRST:
		get(s, m, "/boot.ipxe");
		break;
	case MACHINE_ASK:
		get(s, m, "/boot.ipxe/mac/%s?b=%lld", mac_format(m->mac, '-', mac),
		    (long long)m->session);
		break;
	case MACHINE_LOAD:
		get(s, m, "/job_initrd_tmpfs/%s/job.cgz", m->job);
		break;
	case MACHINE_AGENT:
		if (m->says_reboot && !m->step.is_calling) {
			machine_reset(s, m, 5 * USEC_PER_SEC);
			break;
		}
		step_answered(&m->step, 0, NULL, 0, agent_now(s, m));
		run_agent(s, m);
		break;
	case MACHINE_KDUMP:
		machine_reset(s, m, 5 * USEC_PER_SEC);
		break;
	case MACHINE_OFF:
	case MACHINE_BOOT:
	case _MACHINE_STATE_MAX:
		break;
	}
}

void machine_wake(struct sim *s, struct machine_sim *m)
{
	if (m->request && s->w->now >= m->give_up_at) {
		give_up(s, m);
		return;
	}
	switch (m->state) {
	case MACHINE_OFF:
		power_on(s, m);
		break;
	case MACHINE_ASK:
		if (!m->request)
			give_up(s, m);
		break;
	case MACHINE_LOAD:
		if (!m->request)
			load(s, m);
		break;
	case MACHINE_BOOT:
		begin_agent(s, m);
		break;
	case MACHINE_AGENT:
		if (m->executes && s->w->now >= m->code_ends_at)
			code_ends(s, m);
		if (m->state == MACHINE_AGENT)
			run_agent(s, m);
		break;
	case MACHINE_KDUMP:
		if (!m->request)
			hello(s, m, "kdump");
		break;
	case MACHINE_DHCP:
	case MACHINE_FIRST:
	case _MACHINE_STATE_MAX:
		break;
	}
}

/* ---- answers ---- */

static void take_dhcp(struct sim *s, struct machine_sim *m, const struct sim_message *reply)
{
	uint8_t room[64];
	struct bytes scratch = BYTES_ON(room);
	struct dhcp_message packet;
	struct slice type;

	assert_int_equal(dhcp_message_parse(buffer_slice(&reply->body), &packet), 0);
	if (packet.xid != m->xid ||
	    dhcp_message_option(&packet, DHCP_OPTION_TYPE, &scratch, &type) != 0)
		return;
	if (type.data[0] == DHCP_OFFER) {
		send_dhcp(s, m, DHCP_REQUEST, packet.yiaddr);
	} else if (type.data[0] == DHCP_ACK) {
		m->address = packet.yiaddr;
		m->state = MACHINE_FIRST;
		get(s, m, "/boot.ipxe");
	} else {
		power_on(s, m);
	}
}

static void take_script(struct sim *s, struct machine_sim *m, const char *script)
{
	const char *at = strstr(script, "job id=");

	if (!at) { /* nothing yet: it sleeps and chains again */
		sim_wake(s, m, s->w->now + sim_between_ms(s, 3000, 10000));
		return;
	}
	(void)snprintf(m->job, sizeof(m->job), "%.*s", (int)strcspn(at + 7, ","), at + 7);
	m->state = MACHINE_LOAD;
	m->loading = 0;
	get(s, m, "/job_initrd_tmpfs/%s/job.cgz", m->job);
}

static void take_job(struct sim *s, struct machine_sim *m, const struct sim_message *reply)
{
	char text[1024];

	if (reply->status != 200) { /* iPXE gives up and the firmware begins anew */
		machine_reset(s, m, 5 * USEC_PER_SEC);
		return;
	}
	read_attempt_file(buffer_slice(&reply->body), text, sizeof(text));
	copy_line(text, "\nattempt=", m->attempt, sizeof(m->attempt));
	copy_line(text, "\ntoken=", m->token, sizeof(m->token));
	load(s, m);
}

static void take_agent(struct sim *s, struct machine_sim *m, const struct sim_message *reply)
{
	struct message_answer answer;
	bool is_read = reply->status == 200 &&
	               message_answer_parse(buffer_slice(&reply->body), &answer) == 0;

	if (m->state == MACHINE_KDUMP || (m->says_reboot && !m->step.is_calling)) {
		machine_reset(s, m, sim_between_ms(s, 5000, 60000));
		return;
	}
	step_answered(&m->step, reply->status, is_read ? &answer : NULL, 0, agent_now(s, m));
	run_agent(s, m);
}

void machine_take(struct sim *s, struct machine_sim *m, const struct sim_message *reply)
{
	const char *at;

	if (reply->request != m->request)
		return; /* late, or doubled */
	if (reply->status == 0 || reply->status == 503 || reply->status == 507) {
		m->give_up_at = s->w->now + sim_between_ms(s, 500, 3000);
		sim_wake(s, m, m->give_up_at);
		return;
	}
	m->request = 0;
	switch (m->state) {
	case MACHINE_DHCP:
		take_dhcp(s, m, reply);
		break;
	case MACHINE_FIRST:
		at = strstr((const char *)reply->body.data, "?b=");
		m->session = at ? strtoll(at + 3, NULL, 10) : 0;
		m->state = MACHINE_ASK;
		sim_wake(s, m, s->w->now);
		break;
	case MACHINE_ASK:
		take_script(s, m, (const char *)reply->body.data);
		break;
	case MACHINE_LOAD:
		take_job(s, m, reply);
		break;
	case MACHINE_AGENT:
	case MACHINE_KDUMP:
		take_agent(s, m, reply);
		break;
	case MACHINE_OFF:
	case MACHINE_BOOT:
	case _MACHINE_STATE_MAX:
		break;
	}
}

/* ---- faults ---- */

static void restart_agent(struct sim *s, struct machine_sim *m)
{
	if (m->executes)
		end_code(s, m); /* it dies with its service */
	m->request = 0;
	m->says_reboot = false;
	step_init(&m->step, rng_next(&s->rng), m->was_started, agent_now(s, m));
	run_agent(s, m);
}

static void crash_kernel(struct sim *s, struct machine_sim *m)
{
	machine_reset(s, m, sim_between_ms(s, 2000, 20000));
	m->state = MACHINE_KDUMP;
}

void machine_fault(struct sim *s, struct machine_sim *m)
{
	uint64_t dice = rng_between(&s->rng, 0, 99);

	if (dice < 35) {
		sim_say(s, "machine %d is reset", m->number);
		machine_reset(s, m, sim_between_ms(s, 500, 30000));
	} else if (dice < 45) {
		sim_say(s, "machine %d is off for long", m->number);
		machine_reset(s, m, sim_between_ms(s, 60000, 2400000));
	} else if (dice < 70) {
		sim_say(s, "machine %d is cut off", m->number);
		m->cut_until = s->w->now + sim_between_ms(s, 1000, 400000);
	} else if (dice < 85 && m->state == MACHINE_AGENT) {
		sim_say(s, "the agent of machine %d starts again", m->number);
		restart_agent(s, m);
	} else if (m->state == MACHINE_AGENT) {
		sim_say(s, "the kernel of machine %d dies", m->number);
		crash_kernel(s, m);
	}
}

/* SPDX-License-Identifier: MulanPSL-2.0 */
/*
 * The server: its services called by what comes over the network, killed without a word between any
 * two transactions, and started again over the same store.
 */
#include "tests/sim/sim.h"

#include "server/service/transfer_service.h"

#define LONGEST_TURN (50 * USEC_PER_MSEC) /* of a server whose disk is slow */

void server_start(struct sim *s)
{
	world_start(s->w);
	assert_int_equal(dhcp_service_new(&s->dhcp_config, s->w->db, s->seed, s->w->now, s->w->wall,
	                                  &s->dhcp),
	                 0);
	s->generation = api_generation(services_api(s->w->s));
}

static struct machine_sim *machine_of(struct sim *s, int number)
{
	return number == SIM_USER ? NULL : &s->machines[number];
}

static void reply(struct sim *s, int machine, unsigned life, const struct sim_message *asked,
                  unsigned status, struct slice body)
{
	struct sim_message *m = sim_message_new(asked->kind);

	m->is_reply = true;
	m->request = asked->request;
	m->status = status;
	(void)snprintf(m->target, sizeof(m->target), "%s", asked->target);
	memcpy(m->key, asked->key, sizeof(m->key));
	buffer_append_slice(&m->body, body);
	group_reply(s, machine, life, m);
}

/* Held requests die with the server: their clients see the connection go. */
void server_crash(struct sim *s)
{
	const struct slice none = SLICE_NULL;

	sim_say(s, "the server is killed");
	s->n_crashes++;
	s->dhcp = dhcp_service_free(s->dhcp);
	world_kill(s->w);
	group_crash(s);
	for (size_t i = 0; i < ARRAY_SIZE(s->held); i++) {
		struct sim_message asked = { .kind = SIM_API, .request = s->held[i].request };

		if (s->held[i].is_used)
			reply(s, s->held[i].machine, s->held[i].life, &asked, 0, none);
		s->held[i].is_used = false;
	}
	server_start(s);
	check_lanes(s);
	check_events(s);
}

static void take_dhcp(struct sim *s, int machine, unsigned life, const struct sim_message *message)
{
	const struct dhcp_arrival arrival = { .packet = buffer_slice(&message->body),
		                              .ifindex = 3,
		                              .local = WORLD_SERVER,
		                              .mtu = 1500 };
	static struct dhcp_departure out[1];
	size_t n = 0;

	assert_int_equal(dhcp_service_handle(s->dhcp, &arrival, 1, s->w->now, s->w->wall, out, &n),
	                 0);
	if (n == 1)
		reply(s, machine, life, message, 200, slice_make(out[0].data, out[0].len));
}

static void take_transfer(struct sim *s, struct machine_sim *m, const struct sim_message *message)
{
	const struct transfer t = {
		.phase = message->status == 1 ? TRANSFER_START : TRANSFER_DONE,
		.peer = m->address,
		.path = slice_from_text(message->target),
		.bytes = 6,
		.size = 6,
	};

	assert_int_equal(
		transfer_service_report(services_transfers(s->w->s), &t, s->w->now, s->w->wall), 0);
}

/* The call as it came; its texts are borrowed from the message. */
static void make_call(const struct sim *s, uint32_t peer, const struct sim_message *message,
                      char authorization[96], struct api_call *ret)
{
	const char *question = strchr(message->target, '?');

	(void)snprintf(authorization, 96, "Bearer %s", message->token);
	*ret = (struct api_call){
		.method = message->method,
		.path = question ? slice_make(message->target, (size_t)(question - message->target))
		                 : slice_from_text(message->target),
		.query = slice_from_text(question ? question + 1 : ""),
		.body = buffer_slice(&message->body),
		.idempotency_key = slice_from_text(message->key),
		.peer = peer,
		.local = WORLD_SERVER,
		.local_port = 3000,
		.now = s->w->now,
		.wall = s->w->wall,
	};
	if (message->token[0])
		ret->authorization = slice_from_text(authorization);
}

static void hold(struct sim *s, int machine, unsigned life, const struct sim_message *message,
                 usec_t until)
{
	for (size_t i = 0; i < ARRAY_SIZE(s->held); i++) {
		if (s->held[i].is_used)
			continue;
		s->held[i] = (struct sim_held){ .is_used = true,
			                        .machine = machine,
			                        .life = life,
			                        .request = message->request,
			                        .since = s->w->now,
			                        .until = until };
		(void)snprintf(s->held[i].target, sizeof(s->held[i].target), "%s", message->target);
		return;
	}
	reply(s, machine, life, message, 503, SLICE_NULL);
}

static void take_call(struct sim *s, int machine, unsigned life, const struct sim_message *message)
{
	struct machine_sim *m = machine_of(s, machine);
	struct api_answer answer = API_ANSWER_NULL;
	bool was_final = check_attempt_is_final(s, message->target);
	char authorization[96];
	struct api_call call;

	make_call(s, m ? m->address : WORLD_ADMIN, message, authorization, &call);
	group_begin(s);
	assert_int_equal(api_handle(services_api(s->w->s), &call, &answer), 0);
	if (answer.want == API_HOLD) {
		hold(s, machine, life, message, answer.hold_until);
	} else {
		check_answer(s, message, was_final, answer.status);
		reply(s, machine, life, message, answer.status, buffer_slice(&answer.body));
	}
	group_end(s);
	api_answer_deinit(&answer);
}

void server_take(struct sim *s, int machine, unsigned life, const struct sim_message *message)
{
	switch (message->kind) {
	case SIM_DHCP:
		take_dhcp(s, machine, life, message);
		break;
	case SIM_TRANSFER:
		take_transfer(s, machine_of(s, machine), message);
		break;
	case SIM_API:
		take_call(s, machine, life, message);
		break;
	}
	check_events(s);
	server_look_at_held(s);
	if (!sim_chance(s, 500)) /* else the next request is of the same turn */
		group_settle(s);
}

static void ask_again(struct sim *s, struct sim_held *held)
{
	struct sim_message asked = { .kind = SIM_API,
		                     .method = HTTP_METHOD_GET,
		                     .request = held->request };
	struct api_answer answer = API_ANSWER_NULL;
	char authorization[96];
	struct api_call call;

	(void)snprintf(asked.target, sizeof(asked.target), "%s", held->target);
	make_call(s, s->machines[held->machine].address, &asked, authorization, &call);
	call.is_held = true;
	call.held_since = held->since;
	group_begin(s);
	assert_int_equal(api_handle(services_api(s->w->s), &call, &answer), 0);
	if (answer.want == API_HOLD) {
		held->until = answer.hold_until;
	} else {
		held->is_used = false;
		reply(s, held->machine, held->life, &asked, answer.status,
		      buffer_slice(&answer.body));
	}
	group_end(s);
	api_answer_deinit(&answer);
}

/* As server/io does: whenever the generation has changed, and at the end of each hold. */
void server_look_at_held(struct sim *s)
{
	for (int round = 0; round < 8; round++) {
		uint64_t generation = api_generation(services_api(s->w->s));
		bool is_new = generation != s->generation;

		s->generation = generation;
		for (size_t i = 0; i < ARRAY_SIZE(s->held); i++)
			if (s->held[i].is_used && (is_new || s->held[i].until <= s->w->now))
				ask_again(s, &s->held[i]);
		if (!is_new)
			return;
		check_events(s);
	}
}

static usec_t next_moment(const struct sim *s)
{
	usec_t at = api_deadline(services_api(s->w->s));

	for (size_t i = 0; i < ARRAY_SIZE(s->held); i++)
		if (s->held[i].is_used)
			at = usec_min(at, s->held[i].until);
	return at;
}

/* What the server does by itself until then. */
void server_pass_time(struct sim *s, usec_t until)
{
	usec_t at;

	if (until > usec_add(s->w->now, LONGEST_TURN))
		group_settle(s);
	while ((at = next_moment(s)) <= until) {
		if (at > s->w->now) {
			s->w->wall += at - s->w->now;
			s->w->now = at;
		}
		if (api_deadline(services_api(s->w->s)) <= s->w->now)
			assert_int_equal(api_timeout(services_api(s->w->s), s->w->now, s->w->wall),
			                 0);
		check_events(s);
		server_look_at_held(s);
		group_settle(s);
	}
	if (until > s->w->now) {
		s->w->wall += until - s->w->now;
		s->w->now = until;
	}
}

/* SPDX-License-Identifier: MulanPSL-2.0 */
/*
 * The clock, the network, and stories by seed.
 */
#include "tests/sim/sim.h"

#include <getopt.h>
#include <inttypes.h>

#include "lib/sys/heap.h"

#define STORM    (2400 * USEC_PER_SEC)      /* how long things go wrong */
#define CALM_MAX (3 * 86400 * USEC_PER_SEC) /* L1: by then everything has ended */

void sim_say(const struct sim *s, const char *format, ...)
{
	va_list args;

	if (!s->is_loud)
		return;
	printf("%10.3f ", (double)(s->w->now - 1000 * USEC_PER_SEC) / 1e6);
	va_start(args, format);
	(void)vprintf(format, args);
	va_end(args);
	printf("\n");
}

void sim_fail(const struct sim *s, const char *format, ...)
{
	va_list args;

	printf("seed %" PRIu64 ", event %" PRIu64 ", %.3f s: ", s->seed, s->n_events,
	       (double)(s->w->now - 1000 * USEC_PER_SEC) / 1e6);
	va_start(args, format);
	(void)vprintf(format, args);
	va_end(args);
	printf("\ntold again by: tools/run-sim --seed %" PRIu64 "\n", s->seed);
	(void)fflush(stdout);
	_exit(1);
}

bool sim_chance(struct sim *s, unsigned n)
{
	return rng_between(&s->rng, 0, 999) < n && !s->is_calm;
}

usec_t sim_between_ms(struct sim *s, unsigned low, unsigned high)
{
	return rng_between(&s->rng, low, high) * USEC_PER_MSEC;
}

struct sim_message *sim_message_new(enum sim_kind kind)
{
	struct sim_message *message = calloc(1, sizeof(*message));

	assert_non_null(message);
	message->kind = kind;
	return message;
}

void sim_message_free(struct sim_message *message)
{
	if (!message)
		return;
	buffer_deinit(&message->body);
	free(message);
}

/* ---- the queue: a heap ---- */

static bool comes_before(const struct sim_event *a, const struct sim_event *b)
{
	return a->at != b->at ? a->at < b->at : a->order < b->order;
}

static void swap(struct sim_event *a, struct sim_event *b)
{
	struct sim_event c = *a;

	*a = *b;
	*b = c;
}

static void push(struct sim *s, struct sim_event event)
{
	size_t i = s->n_queue++;

	if (i == SIM_QUEUE_MAX)
		sim_fail(s, "the queue is full");
	event.order = ++s->n_orders;
	s->queue[i] = event;
	for (; i > 0 && comes_before(&s->queue[i], &s->queue[(i - 1) / 2]); i = (i - 1) / 2)
		swap(&s->queue[i], &s->queue[(i - 1) / 2]);
}

static struct sim_event pop(struct sim *s)
{
	struct sim_event first = s->queue[0];
	size_t i = 0;

	s->queue[0] = s->queue[--s->n_queue];
	for (;;) {
		size_t child = 2 * i + 1;

		if (child + 1 < s->n_queue && comes_before(&s->queue[child + 1], &s->queue[child]))
			child++;
		if (child >= s->n_queue || !comes_before(&s->queue[child], &s->queue[i]))
			return first;
		swap(&s->queue[i], &s->queue[child]);
		i = child;
	}
}

void sim_wake(struct sim *s, struct machine_sim *m, usec_t at)
{
	push(s,
	     (struct sim_event){ .at = MAX(at, s->w->now), .machine = m->number, .life = m->life });
}

/* ---- the network ---- */

static struct sim_message *copy(const struct sim_message *message)
{
	struct sim_message *twin = sim_message_new(message->kind);

	*twin = *message;
	twin->body = BUFFER_NULL;
	buffer_append_slice(&twin->body, buffer_slice(&message->body));
	return twin;
}

/* Mostly milliseconds; now and then so long that others overtake it. */
static usec_t delay(struct sim *s)
{
	if (sim_chance(s, 30))
		return sim_between_ms(s, 1000, 40000);
	return sim_between_ms(s, 1, 40);
}

void sim_send(struct sim *s, int machine, unsigned life, struct sim_message *message)
{
	bool is_cut = machine != SIM_USER && s->machines[machine].cut_until > s->w->now;
	struct sim_event event = { .machine = machine, .life = life, .message = message };

	if (is_cut || sim_chance(s, 40)) {
		s->n_lost++;
		sim_message_free(message);
		return;
	}
	if (sim_chance(s, 30)) {
		event.message = copy(message);
		event.at = s->w->now + delay(s);
		push(s, event);
		event.message = message;
	}
	event.at = s->w->now + delay(s);
	push(s, event);
}

/* ---- a story ---- */

static void deliver(struct sim *s, struct sim_event *event)
{
	struct machine_sim *m = event->machine == SIM_USER ? NULL : &s->machines[event->machine];
	bool is_of_life = !m || m->life == event->life;

	if (!event->message) {
		if (is_of_life)
			machine_wake(s, m);
		return;
	}
	if (!event->message->is_reply) /* late ones of an earlier life arrive all the same */
		server_take(s, event->machine, event->life, event->message);
	else if (!m)
		user_take(s, event->message);
	else if (is_of_life)
		machine_take(s, m, event->message);
	sim_message_free(event->message);
}

static void strike(struct sim *s)
{
	if (sim_chance(s, 15))
		machine_fault(s,
		              &s->machines[rng_between(&s->rng, 0, (uint64_t)s->n_machines - 1)]);
	if (sim_chance(s, 8))
		server_crash(s);
}

/* Until that moment, or until everything is done. */
static bool live(struct sim *s, usec_t until, bool (*is_done)(struct sim *))
{
	while (s->w->now < until) {
		usec_t next = usec_min(s->n_queue > 0 ? s->queue[0].at : until, s->user.act_at);

		server_pass_time(s, usec_min(next, until));
		if (s->n_queue > 0 && s->queue[0].at <= s->w->now) {
			struct sim_event event = pop(s);

			s->n_events++;
			deliver(s, &event);
		}
		user_act(s);
		strike(s);
		if (is_done && is_done(s))
			return true;
	}
	return !is_done;
}

static void begin(struct sim *s)
{
	rng_init(&s->rng, s->seed);
	assert_int_equal(world_set_up((void **)&s->w), 0);
	s->w->config.seed = s->seed;
	world_kill(s->w);
	s->dhcp_config = (struct dhcp_config){
		.subnets = { { .net = { SIM_SERVER_NET, 23 },
		               .first = SIM_SERVER_NET + 100,
		               .last = SIM_SERVER_NET + 100 + SIM_MACHINES_MAX,
		               .router = WORLD_SERVER,
		               .lease_sec = 86400 } },
		.n_subnets = 1,
	};
	server_start(s);
	for (int i = 0; i < s->n_machines; i++) {
		char name[16];

		s->machines[i] = (struct machine_sim){
			.number = i,
			.mac = { { 0x52, 0x54, 0, 0x12, 0x34, (uint8_t)(i + 1) } },
			.code_ends_at = USEC_INFINITY,
			.last_idle_or_busy = s->w->now,
		};
		(void)snprintf(name, sizeof(name), "vm-%d", i + 1);
		world_register(s->w, name, s->machines[i].mac);
		machine_reset(s, &s->machines[i], sim_between_ms(s, 0, 20000));
	}
	for (unsigned n = 0; n <= s->n_jobs; n++)
		s->jobs[n].executed_by = -1;
}

static void end(struct sim *s)
{
	group_settle(s);
	while (s->n_queue > 0) {
		struct sim_event event = pop(s);

		sim_message_free(event.message);
	}
	s->dhcp = dhcp_service_free(s->dhcp);
	assert_int_equal(world_tear_down((void **)&s->w), 0);
}

static void tell(struct sim *s)
{
	begin(s);
	(void)live(s, s->w->now + STORM, NULL);
	s->is_calm = true;
	s->user.act_at = s->w->now;
	if (!live(s, s->w->now + CALM_MAX, user_is_done))
		sim_fail(s, "L1: a job has no end");
	check_end(s);
	sim_say(s,
	        "%" PRIu64 " events, %" PRIu64 " messages lost, %" PRIu64 " crashes, %" PRIu64
	        " turns lost to a full disk",
	        s->n_events, s->n_lost, s->n_crashes, s->n_full);
	end(s);
}

static void tell_seed(uint64_t seed, int n_machines, unsigned n_jobs, bool is_loud)
{
	struct sim *s = calloc(1, sizeof(*s));

	assert_non_null(s);
	s->seed = seed;
	s->is_loud = is_loud;
	s->n_machines = n_machines;
	s->n_jobs = n_jobs;
	tell(s);
	free(s);
}

static int number(const char *text, int max)
{
	int n = atoi(text);

	return n < 1 ? 1 : MIN(n, max);
}

static struct {
	uint64_t from, n;
	unsigned n_jobs;
	int n_machines;
	bool is_loud;
} wanted = { .from = 1, .n = 1, .n_jobs = 12, .n_machines = 4 };

static uint64_t told; /* the seed of the present story */

static void tell_all(void **state)
{
	for (told = wanted.from; told < wanted.from + wanted.n; told++)
		tell_seed(told, wanted.n_machines, wanted.n_jobs, wanted.is_loud);
}

int main(int argc, char *argv[])
{
	/* of cmocka, so that an assertion that fails says which */
	const struct CMUnitTest stories[] = { cmocka_unit_test(tell_all) };
	static const struct option options[] = {
		{ "from", required_argument, NULL, 'f' },
		{ "seeds", required_argument, NULL, 'n' },
		{ "machines", required_argument, NULL, 'm' },
		{ "jobs", required_argument, NULL, 'j' },
		{ "loud", no_argument, NULL, 'l' },
		{ NULL, 0, NULL, 0 },
	};
	int option;

	heap_keep(); /* as ccid does */
	while ((option = getopt_long(argc, argv, "", options, NULL)) != -1) {
		if (option == 'f')
			wanted.from = strtoull(optarg, NULL, 10);
		else if (option == 'n')
			wanted.n = strtoull(optarg, NULL, 10);
		else if (option == 'm')
			wanted.n_machines = number(optarg, SIM_MACHINES_MAX);
		else if (option == 'j')
			wanted.n_jobs = (unsigned)number(optarg, SIM_JOBS_MAX);
		else if (option == 'l')
			wanted.is_loud = true;
		else
			return 2;
	}
	if (cmocka_run_group_tests(stories, NULL, NULL) != 0) {
		printf("told again by: tools/run-sim --seed %" PRIu64 "\n", told);
		return 1;
	}
	printf("%" PRIu64 " stories\n", wanted.n);
	return 0;
}

/* SPDX-License-Identifier: MulanPSL-2.0 */
/*
 * Stories: a server killed between any two steps, steps said twice, and machines that do what they
 * like. What must hold is state-machines.md 2.8.
 */
#include "tests/support/services_agent.h"

#include "lib/base/rng.h"
#include "server/core/job_machine.h"

/* ---- one job, step by step ---- */

enum step { SUBMIT, DHCP, BOOT, FETCH, IMAGE, KERNEL, SAY_HELLO, RUN, UPLOAD, SAY_FINISH, N_STEPS };

static void do_step(struct world *w, struct agent *agent, enum step step)
{
	switch (step) {
	case SUBMIT: {
		struct api_call call = { .method = HTTP_METHOD_POST,
			                 .path = SLICE_LITERAL("/v1/jobs"),
			                 .body = SLICE_LITERAL(WORLD_JOB),
			                 .idempotency_key = SLICE_LITERAL("once"),
			                 .peer = WORLD_ADMIN };

		assert_int_equal(world_call(w, &call), 201);
		(void)snprintf(agent->job, sizeof(agent->job), "%s", world_text(w, "id"));
		break;
	}
	case DHCP:
		world_dhcp(w, &agent->machine, 9);
		break;
	case BOOT:
		assert_int_equal(world_boot(w, &agent->machine), 200);
		assert_true(world_body_has(w, "lab1.1"));
		break;
	case FETCH:
		fetch_job(w, agent);
		break;
	case IMAGE:
		transfer(w, agent, "/initrd/osimage/debian/x86_64/bookworm/20260102.0.cgz",
		         TRANSFER_START);
		break;
	case KERNEL:
		transfer(w, agent, kernel_path, TRANSFER_DONE);
		break;
	case SAY_HELLO:
		assert_int_equal(say(w, agent, "hello", HELLO), 200);
		break;
	case RUN:
		assert_int_equal(say(w, agent, "stage", "{\"stage\":\"running\"}"), 200);
		break;
	case UPLOAD:
		assert_int_equal(say(w, agent, "stage", "{\"stage\":\"uploading\"}"), 200);
		break;
	case SAY_FINISH:
		assert_int_equal(say(w, agent, "finish", FINISH), 200);
		break;
	case N_STEPS:
		break;
	}
}

static void assert_ended_once(struct world *w, const struct agent *agent)
{
	assert_string_equal(state_of(w, agent), "finished");
	assert_string_equal(world_text(w, "verdict"), "pass");
	assert_int_equal(json_array_size(world_member(w, "attempts")), 1);
	assert_int_equal(world_get(w, "/v1/jobs"), 200);
	assert_int_equal(json_array_size(world_member(w, "jobs")), 1);
}

static struct agent begin(struct world *w)
{
	struct agent agent = { .machine = world_machine(w, 0x11) };

	world_register(w, "vm-1", agent.machine.mac);
	return agent;
}

/* Killed behind step k for each k: set up anew for each, since a job ends once. */
static void killed_behind_any_step_a_job_still_ends_once(void **state)
{
	for (int killed = SUBMIT; killed < N_STEPS; killed++) {
		struct world *w;
		struct agent agent;

		assert_int_equal(world_set_up((void **)&w), 0);
		agent = begin(w);
		for (int step = SUBMIT; step < N_STEPS; step++) {
			do_step(w, &agent, (enum step)step);
			if (step == killed) {
				world_kill(w);
				w->now = 5 * WORLD_SEC; /* another boot of the server */
				w->wall += 30 * WORLD_SEC;
				world_start(w);
			}
		}
		assert_ended_once(w, &agent);
		assert_int_equal(world_tear_down((void **)&w), 0);
	}
}

/* The answer was lost with the server: every step is said again to the next one. */
static void every_step_may_be_said_twice(void **state)
{
	struct world *w;
	struct agent agent;

	assert_int_equal(world_set_up((void **)&w), 0);
	agent = begin(w);
	for (int step = SUBMIT; step < N_STEPS; step++) {
		do_step(w, &agent, (enum step)step);
		world_restart(w);
		do_step(w, &agent, (enum step)step);
	}
	assert_ended_once(w, &agent);
	assert_int_equal(world_tear_down((void **)&w), 0);
}

static void a_step_of_the_wall_clock_moves_no_deadline(void **state)
{
	struct world *w;
	struct agent agent;

	assert_int_equal(world_set_up((void **)&w), 0);
	agent = begin(w);
	for (int step = SUBMIT; step <= RUN; step++)
		do_step(w, &agent, (enum step)step);
	w->wall += 30 * 24 * 3600 * WORLD_SEC;
	world_wait(w, WORLD_SEC);
	assert_string_equal(attempt_state(w, &agent, 0), "running");
	world_restart(w); /* the new one reads the clock that was set */
	world_wait(w, 59 * WORLD_SEC);
	assert_string_equal(attempt_state(w, &agent, 0), "running");
	do_step(w, &agent, SAY_FINISH);
	assert_ended_once(w, &agent);
	assert_int_equal(world_tear_down((void **)&w), 0);
}

/* ---- machines that do what they like ---- */

#define N_MACHINES 3
#define N_JOBS_MAX 12

enum life { LIFE_OFF, LIFE_IPXE, LIFE_LOADED, LIFE_KERNEL, LIFE_HELLO, LIFE_RUNNING };

struct life_machine {
	struct agent agent;
	enum life life;
	unsigned n_boots;
	usec_t stop_at; /* the agent ends its job by itself */
	char began[32]; /* attempt whose code was let run, and in which boot */
	unsigned began_boot;
};

struct story {
	struct world *w;
	struct rng rng;
	struct life_machine machines[N_MACHINES];
	unsigned n_jobs;
	char final[N_JOBS_MAX + 1][16]; /* state a job ended in; empty before */
};

static void reset(struct story *s, struct life_machine *m)
{
	m->life = LIFE_IPXE;
	m->stop_at = USEC_INFINITY;
	world_dhcp(s->w, &m->agent.machine,
	           (int64_t)(1000 * (m->agent.machine.address & 0xff) + ++m->n_boots));
}

static void new_job(struct story *s)
{
	if (s->n_jobs == N_JOBS_MAX)
		return;
	assert_int_equal(world_post(s->w, "/v1/jobs",
	                            "suite: hello\ntestbox: vm\nos: debian\nos_arch: x86_64\n"
	                            "os_version: bookworm\nos_mount: initramfs\nruntime: 60\n"
	                            "script: x\n"),
	                 201);
	s->n_jobs++;
}

static void ask_boot(struct story *s, struct life_machine *m)
{
	const char *at;

	if (world_boot(s->w, &m->agent.machine) != 200)
		return;
	at = strstr((char *)s->w->answer.body.data, "job id=");
	if (!at)
		return;
	(void)snprintf(m->agent.job, sizeof(m->agent.job), "%.*s", (int)strcspn(at + 7, ","),
	               at + 7);
	fetch_job(s->w, &m->agent);
	m->life = LIFE_LOADED;
}

/* A request of some boot before comes late. Nobody reads its answer. */
static void echo_boot(struct story *s, struct life_machine *m)
{
	struct world_machine old = m->agent.machine;

	old.session -= (int64_t)rng_between(&s->rng, 0, 2);
	(void)world_boot(s->w, &old);
}

static void keep_deadline(struct story *s, struct life_machine *m)
{
	const json_t *deadline = world_member(s->w, "deadline");

	if (deadline)
		m->stop_at = s->w->now + (usec_t)json_integer_value(deadline) * WORLD_SEC;
}

/* The agent says something; 410 makes it reboot. */
static bool agent_says(struct story *s, struct life_machine *m, const char *verb, const char *body)
{
	unsigned status;
	char hello[256];

	if (strcmp(verb, "hello") == 0) {
		(void)snprintf(hello, sizeof(hello),
		               "{\"boot_id\":\"%u-%u\",\"agent\":\"x\",\"api\":1,\"kernel\":\"x\","
		               "\"uptime_ms\":1}",
		               m->agent.machine.address, m->n_boots);
		body = hello;
	}
	status = say(s->w, &m->agent, verb, body);
	if (status == 200) {
		keep_deadline(s, m);
		return true;
	}
	assert_int_equal(status, 410);
	reset(s, m);
	return false;
}

static void live(struct story *s, struct life_machine *m)
{
	switch (m->life) {
	case LIFE_OFF:
		reset(s, m);
		break;
	case LIFE_IPXE:
		ask_boot(s, m);
		break;
	case LIFE_LOADED:
		transfer(s->w, &m->agent, kernel_path, TRANSFER_DONE);
		m->life = LIFE_KERNEL;
		break;
	case LIFE_KERNEL:
		if (agent_says(s, m, "hello", NULL)) {
			/* the code of an attempt begins once */
			if (strcmp(m->began, m->agent.attempt) == 0)
				assert_int_equal(m->began_boot, m->n_boots);
			(void)snprintf(m->began, sizeof(m->began), "%s", m->agent.attempt);
			m->began_boot = m->n_boots;
			m->life = LIFE_HELLO;
		}
		break;
	case LIFE_HELLO:
		if (agent_says(s, m, "stage", "{\"stage\":\"running\"}"))
			m->life = LIFE_RUNNING;
		break;
	case LIFE_RUNNING:
		if (agent_says(s, m, "finish", FINISH))
			m->life = LIFE_OFF;
		break;
	}
}

static void pass_time(struct story *s, usec_t usec)
{
	world_wait(s->w, usec);
	for (int i = 0; i < N_MACHINES; i++)
		if (s->machines[i].stop_at <= s->w->now)
			reset(s, &s->machines[i]);
}

/* Starts its kernel once more without asking anybody. */
static void warm_reboot(struct life_machine *m)
{
	if (m->life < LIFE_HELLO)
		return;
	m->n_boots++;
	m->life = LIFE_KERNEL;
	m->stop_at = USEC_INFINITY;
}

static void cancel_some(struct story *s)
{
	char target[64];

	(void)snprintf(target, sizeof(target), "/v1/jobs/lab1.%u/cancel",
	               (unsigned)rng_between(&s->rng, 1, N_JOBS_MAX));
	(void)world_post(s->w, target, NULL);
}

static void act(struct story *s)
{
	struct life_machine *m = &s->machines[rng_between(&s->rng, 0, N_MACHINES - 1)];
	unsigned dice = (unsigned)rng_between(&s->rng, 0, 99);

	if (dice < 60)
		live(s, m);
	else if (dice < 64)
		reset(s, m);
	else if (dice < 66)
		warm_reboot(m);
	else if (dice < 74)
		echo_boot(s, m);
	else if (dice < 79 && m->life >= LIFE_HELLO)
		(void)agent_says(s, m, "heartbeat", "{}");
	else if (dice < 83)
		new_job(s);
	else if (dice < 85)
		cancel_some(s);
	else if (dice < 95)
		pass_time(s, rng_between(&s->rng, 1, 90) * WORLD_SEC);
	else if (dice < 97)
		pass_time(s, rng_between(&s->rng, 300, 2000) * WORLD_SEC);
	else
		world_restart(s->w);
}

static bool is_open_state(const char *state)
{
	static const char *const open[] = { "offered", "loading",   "booting",   "setup",
		                            "running", "uploading", "cancelling" };

	for (size_t i = 0; i < ARRAY_SIZE(open); i++)
		if (strcmp(state, open[i]) == 0)
			return true;
	return false;
}

static unsigned count_open(const json_t *job)
{
	const json_t *attempt;
	unsigned n = 0;
	size_t i;

	json_array_foreach(json_object_get(job, "attempts"), i, attempt)
	{
		n += is_open_state(json_string_value(json_object_get(attempt, "state")));
	}
	return n;
}

/* A machine that works on undisturbed keeps its attempt. */
static void check_undisturbed(const struct story *s, const json_t *job)
{
	const json_t *attempt;
	size_t i;

	json_array_foreach(json_object_get(job, "attempts"), i, attempt)
	{
		const char *id = json_string_value(json_object_get(attempt, "id"));
		const char *state = json_string_value(json_object_get(attempt, "state"));

		for (int k = 0; k < N_MACHINES; k++)
			if (s->machines[k].life >= LIFE_HELLO &&
			    strcmp(s->machines[k].agent.attempt, id) == 0)
				assert_string_not_equal(state, "infra");
	}
}

static void check_job(struct story *s, const json_t *job)
{
	const char *state = json_string_value(json_object_get(job, "state"));
	const char *id = json_string_value(json_object_get(job, "id"));
	char *final = s->final[atoi(id + strlen("lab1."))];
	bool is_pending = strcmp(state, "queued") == 0 || strcmp(state, "waiting") == 0;
	unsigned n_open = count_open(job);

	assert_true(n_open <= 1);                               /* S1 */
	assert_int_equal(n_open, strcmp(state, "active") == 0); /* an active job has one */
	assert_int_equal(json_is_string(json_object_get(job, "verdict")),
	                 strcmp(state, "finished") == 0); /* S10 */
	check_undisturbed(s, job);
	if (final[0])
		assert_string_equal(final, state); /* S5 */
	else if (!is_pending && n_open == 0)
		(void)snprintf(final, sizeof(s->final[0]), "%s", state);
}

/* S7: a job's own code runs on one machine at a time. */
static void check_exclusion(const struct story *s)
{
	for (int i = 0; i < N_MACHINES; i++)
		for (int k = 0; k < i; k++)
			if (s->machines[i].life >= LIFE_HELLO && s->machines[k].life >= LIFE_HELLO)
				assert_string_not_equal(s->machines[i].agent.job,
				                        s->machines[k].agent.job);
}

static unsigned check(struct story *s)
{
	const json_t *job;
	unsigned n_ended = 0;
	size_t i;

	assert_int_equal(world_get(s->w, "/v1/jobs"), 200);
	assert_int_equal(json_array_size(world_member(s->w, "jobs")), s->n_jobs); /* S6 */
	json_array_foreach(world_member(s->w, "jobs"), i, job)
	{
		check_job(s, job);
	}
	for (unsigned n = 1; n <= s->n_jobs; n++)
		n_ended += s->final[n][0] != '\0';
	check_exclusion(s);
	return n_ended;
}

/* L1: when machines behave at last, every job ends. */
static void everything_ends(struct story *s)
{
	for (int round = 0; round < 4000; round++) {
		live(s, &s->machines[round % N_MACHINES]);
		if (round % 20 == 0)
			pass_time(s, 61 * WORLD_SEC);
		if (round == 2000) /* nobody looks at the jobs that are held */
			pass_time(s, JOB_HOLD_LENGTH);
		if (round % 50 == 0 && check(s) == s->n_jobs)
			return;
	}
	fail_msg("a job has no end");
}

static void tell(uint64_t seed)
{
	struct story s = { .n_jobs = 0 };

	rng_init(&s.rng, seed);
	assert_int_equal(world_set_up((void **)&s.w), 0);
	for (int i = 0; i < N_MACHINES; i++) {
		char name[16];

		s.machines[i].agent.machine = world_machine(s.w, (uint8_t)(0x11 + i));
		s.machines[i].stop_at = USEC_INFINITY;
		(void)snprintf(name, sizeof(name), "vm-%d", i + 1);
		world_register(s.w, name, s.machines[i].agent.machine.mac);
	}
	for (int i = 0; i < 4; i++)
		new_job(&s);
	for (int i = 0; i < 150; i++) {
		act(&s);
		(void)check(&s);
	}
	everything_ends(&s);
	assert_int_equal(world_tear_down((void **)&s.w), 0);
}

static void what_must_hold_holds_whatever_machines_do(void **state)
{
	const char *only = getenv("STORY_SEED"); /* to tell one of them again */

	if (only) {
		tell(strtoull(only, NULL, 10));
		return;
	}
	for (uint64_t seed = 1; seed <= 2; seed++) {
		print_message("story %llu\n", (unsigned long long)seed);
		tell(seed);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(killed_behind_any_step_a_job_still_ends_once),
		cmocka_unit_test(every_step_may_be_said_twice),
		cmocka_unit_test(a_step_of_the_wall_clock_moves_no_deadline),
		cmocka_unit_test(what_must_hold_holds_whatever_machines_do),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

/* SPDX-License-Identifier: MulanPSL-2.0 */
/* Reboots that were announced, crashes, renewed runs, held jobs, hosts that are to blame. */
#include "tests/support/services_agent.h"

#define HELLO_2                                                                                    \
	"{\"boot_id\":\"b2\",\"agent\":\"0.1.0\",\"api\":1,\"kernel\":\"6.1\",\"uptime_ms\":9000}"
#define HELLO_KDUMP                                                                                \
	"{\"boot_id\":\"k\",\"agent\":\"0.1.0\",\"api\":1,\"kernel\":\"6.1\",\"mode\":\"kdump\"}"
#define REBOOTING_1 "{\"stage\":\"rebooting\",\"boot_id\":\"b1\",\"within\":300}"
#define RUNNING     "{\"stage\":\"running\"}"

/* The machine asks, and takes what it is offered. False: it is held. */
static bool take(struct world *w, struct agent *agent)
{
	const char *at;

	world_dhcp(w, &agent->machine, agent->machine.session + 1000);
	if (world_boot(w, &agent->machine) != 200)
		return false;
	at = strstr((char *)w->answer.body.data, "job id=");
	assert_non_null(at);
	(void)snprintf(agent->job, sizeof(agent->job), "%.*s", (int)strcspn(at + 7, ","), at + 7);
	fetch_job(w, agent);
	return true;
}

static void run(struct world *w, struct agent *agent)
{
	assert_true(take(w, agent));
	assert_int_equal(say(w, agent, "hello", HELLO), 200);
	assert_int_equal(say(w, agent, "stage", RUNNING), 200);
}

static struct agent begin(struct world *w)
{
	struct agent agent = { .machine = world_machine(w, 0x11) };

	world_register(w, "vm-1", agent.machine.mac);
	world_submit(w, agent.job);
	run(w, &agent);
	return agent;
}

static unsigned deadline(const struct world *w)
{
	return (unsigned)json_integer_value(world_member(w, "deadline"));
}

static void an_announced_reboot_goes_on_with_what_was_left(void **state)
{
	struct world *w = *state;
	struct agent agent = begin(w);
	unsigned before = deadline(w);

	world_wait(w, 20 * WORLD_SEC);
	assert_int_equal(say(w, &agent, "stage", REBOOTING_1), 200);
	assert_int_equal(deadline(w), 300);
	assert_string_equal(attempt_state(w, &agent, 0), "rebooting");
	world_wait(w, 100 * WORLD_SEC);
	world_dhcp(w, &agent.machine, 9999); /* boots anew, and gets its own script again */
	assert_int_equal(world_boot(w, &agent.machine), 200);
	assert_true(world_body_has(w, "lab1.1"));
	assert_int_equal(say(w, &agent, "hello", HELLO), 200); /* late: of the kernel before */
	assert_string_equal(attempt_state(w, &agent, 0), "rebooting");
	assert_int_equal(say(w, &agent, "hello", HELLO_2), 200);
	assert_string_equal(attempt_state(w, &agent, 0), "running");
	assert_int_equal(say(w, &agent, "heartbeat", "{}"), 200);
	assert_int_equal(deadline(w), before - 120);
	assert_int_equal(say(w, &agent, "stage", REBOOTING_1), 200); /* late: counts no more */
	assert_string_equal(attempt_state(w, &agent, 0), "running");
	assert_int_equal(say(w, &agent, "finish", FINISH), 200);
	assert_string_equal(state_of(w, &agent), "finished");
}

static void a_machine_that_does_not_come_back_fails_its_attempt(void **state)
{
	struct world *w = *state;
	struct agent agent = begin(w);

	assert_int_equal(say(w, &agent, "stage", REBOOTING_1), 200);
	world_wait(w, 301 * WORLD_SEC);
	assert_string_equal(attempt_state(w, &agent, 0), "infra");
	assert_string_equal(world_text(w, "attempts.0.cause"), "not_back");
	assert_int_equal(say(w, &agent, "hello", HELLO_2), 410);
}

static void a_crash_is_a_fail_of_the_job(void **state)
{
	struct world *w = *state;
	struct agent agent = begin(w);

	assert_int_equal(say(w, &agent, "hello", HELLO_KDUMP), 200);
	assert_string_equal(attempt_state(w, &agent, 0), "crashed");
	world_wait(w, 1801 * WORLD_SEC);
	assert_string_equal(state_of(w, &agent), "finished");
	assert_string_equal(world_text(w, "verdict"), "fail");
	assert_string_equal(world_text(w, "cause"), "crash");
	assert_string_equal(world_text(w, "upload"), "incomplete");
}

static void a_new_boot_ends_a_crash_as_a_crash(void **state)
{
	struct world *w = *state;
	struct agent agent = begin(w);

	assert_int_equal(say(w, &agent, "hello", HELLO_KDUMP), 200);
	world_dhcp(w, &agent.machine, 9999);
	assert_int_equal(world_boot(w, &agent.machine), 0);
	assert_string_equal(state_of(w, &agent), "finished");
	assert_string_equal(world_text(w, "cause"), "crash");
}

static void a_renewed_run_lasts_longer_and_over_a_restart(void **state)
{
	struct world *w = *state;
	struct agent agent = begin(w);
	unsigned before = deadline(w);

	assert_int_equal(world_post(w, "/v1/jobs/lab1.1/renew?seconds=10000", NULL), 200);
	assert_int_equal(deadline(w), before + 10000);
	world_restart(w);
	assert_int_equal(say(w, &agent, "heartbeat", "{}"), 200);
	assert_int_equal(deadline(w), before + 10000);
	assert_int_equal(world_do(w, HTTP_METHOD_GET, agent.machine.address,
	                          "/renew_deadline?job_id=lab1.1&time=60", NULL, NULL),
	                 200);
	assert_int_equal(world_do(w, HTTP_METHOD_GET, 0x0a0000fe,
	                          "/renew_deadline?job_id=lab1.1&time=60", NULL, NULL),
	                 403);
	world_wait(w, (before + 10060) * WORLD_SEC);
	assert_string_equal(attempt_state(w, &agent, 0), "running");
	world_wait(w, 61 * WORLD_SEC);
	assert_string_equal(state_of(w, &agent), "timeout");
	assert_int_equal(world_post(w, "/v1/jobs/lab1.1/renew?seconds=60", NULL), 409);
	assert_int_equal(world_post(w, "/v1/jobs/lab1.1/renew", NULL), 400);
}

#define GROUP_JOB                                                                                  \
	"suite: hello\ntestbox: vm\nos: debian\nos_arch: x86_64\nos_version: bookworm\n"           \
	"os_mount: initramfs\nruntime: 60\nscript: x\n"

#define INFRA "stage=root&step=fetch&cause=not_found&detail=x&uptime_ms=1000"

static struct agent another(struct world *w, uint8_t number, const char *name)
{
	struct agent agent = { .machine = world_machine(w, number) };

	world_register(w, name, agent.machine.mac);
	return agent;
}

/* Infrastructure fails the next job on that machine. */
static void spoil(struct world *w, struct agent *agent)
{
	assert_true(take(w, agent));
	assert_int_equal(say(w, agent, "report", INFRA), 200);
	world_wait(w, 700 * WORLD_SEC); /* over the back-off */
}

static void a_job_that_fails_on_three_hosts_waits_for_a_person(void **state)
{
	struct world *w = *state;
	struct agent a = another(w, 1, "vm-1"), b = another(w, 2, "vm-2"),
		     c = another(w, 3, "vm-3");

	assert_int_equal(world_post(w, "/v1/jobs", GROUP_JOB), 201);
	spoil(w, &a);
	spoil(w, &b);
	spoil(w, &c);
	assert_string_equal(state_of(w, &c), "waiting");
	assert_non_null(strstr(world_text(w, "reason"), "held"));
	assert_false(take(w, &a));
	assert_int_equal(world_post(w, "/v1/jobs/lab1.1/retry", NULL), 201);
	assert_string_equal(world_text(w, "id"), "lab1.1");
	run(w, &a);
	assert_int_equal(say(w, &a, "finish", FINISH), 200);
	assert_string_equal(state_of(w, &a), "finished");
}

static void a_held_job_that_nobody_looks_at_ends(void **state)
{
	struct world *w = *state;
	struct agent a = another(w, 1, "vm-1"), b = another(w, 2, "vm-2"),
		     c = another(w, 3, "vm-3");

	assert_int_equal(world_post(w, "/v1/jobs", GROUP_JOB), 201);
	spoil(w, &a);
	spoil(w, &b);
	spoil(w, &c);
	world_wait(w, 24 * 3600 * WORLD_SEC);
	assert_string_equal(state_of(w, &c), "error");
	assert_string_equal(world_text(w, "cause"), "poison");
}

/* The health job is a file of the configuration. */
static void configure_health(struct world *w)
{
	static char path[256];

	world_put_file(w->dir, "health.yaml", GROUP_JOB);
	(void)snprintf(path, sizeof(path), "%s/health.yaml", w->dir);
	w->config.health = path;
	world_restart(w);
}

static bool has_flag(struct world *w, const char *host, const char *flag)
{
	char target[64];
	const json_t *member;
	size_t i;

	(void)snprintf(target, sizeof(target), "/v1/hosts/%s", host);
	assert_int_equal(world_get(w, target), 200);
	json_array_foreach(world_member(w, "flags"), i, member)
	{
		if (strcmp(json_string_value(member), flag) == 0)
			return true;
	}
	return false;
}

static void a_health_job_goes_before_the_next_job_and_clears_the_host(void **state)
{
	struct world *w = *state;
	struct agent a = another(w, 1, "vm-1"), b = another(w, 2, "vm-2");

	configure_health(w);
	assert_int_equal(world_post(w, "/v1/jobs", GROUP_JOB), 201);
	spoil(w, &a);
	assert_true(has_flag(w, "vm-1", "needs_check"));
	run(w, &b);
	assert_string_equal(b.job, "lab1.1");
	assert_int_equal(world_post(w, "/v1/jobs", GROUP_JOB), 201); /* lab1.3 waits behind it */
	run(w, &a);
	assert_string_equal(a.job, "lab1.2");
	assert_int_equal(say(w, &a, "finish", FINISH), 200);
	assert_false(has_flag(w, "vm-1", "needs_check"));
	run(w, &a);
	assert_string_equal(a.job, "lab1.3");
}

static void a_failed_health_job_condemns_and_two_passed_ones_clear(void **state)
{
	struct world *w = *state;
	struct agent a = another(w, 1, "vm-1");

	configure_health(w);
	assert_int_equal(world_post(w, "/v1/jobs", GROUP_JOB), 201);
	spoil(w, &a);
	spoil(w, &a); /* the health job */
	assert_true(has_flag(w, "vm-1", "quarantine"));
	assert_false(take(w, &a));
	assert_int_equal(world_post(w, "/v1/hosts/vm-1/check", NULL), 200);
	for (int i = 0; i < 2; i++) {
		assert_true(has_flag(w, "vm-1", "quarantine"));
		run(w, &a);
		assert_int_equal(say(w, &a, "finish", FINISH), 200);
	}
	assert_false(has_flag(w, "vm-1", "quarantine"));
	run(w, &a);
	assert_string_equal(a.job, "lab1.1");
}

static void a_host_that_fails_what_passes_elsewhere_is_put_away(void **state)
{
	struct world *w = *state;
	struct agent a = another(w, 1, "vm-1"), b = another(w, 2, "vm-2");

	for (int i = 0; i < 3; i++) {
		assert_false(has_flag(w, "vm-1", "quarantine"));
		assert_int_equal(world_post(w, "/v1/jobs", GROUP_JOB), 201);
		spoil(w, &a);
		run(w, &b);
		assert_int_equal(say(w, &b, "finish", FINISH), 200);
	}
	assert_true(has_flag(w, "vm-1", "quarantine"));
	assert_false(has_flag(w, "vm-2", "quarantine"));
	assert_int_equal(world_do(w, HTTP_METHOD_DELETE, WORLD_ADMIN,
	                          "/v1/hosts/vm-1/flags/quarantine", NULL, NULL),
	                 200);
	assert_false(has_flag(w, "vm-1", "quarantine"));
}

static void a_reserved_host_serves_its_owner_until_the_moment(void **state)
{
	struct world *w = *state;
	struct agent a = another(w, 1, "vm-1");

	assert_int_equal(world_post(w, "/v1/hosts/vm-1/flags/reserved?user=ann&for=3600", NULL),
	                 200);
	assert_string_equal(world_text(w, "reserved_for"), "ann");
	assert_int_equal(world_post(w, "/v1/jobs", GROUP_JOB), 201);
	assert_false(take(w, &a));
	assert_int_equal(world_post(w, "/v1/jobs", GROUP_JOB "my_account: ann\n"), 201);
	run(w, &a);
	assert_string_equal(a.job, "lab1.2");
	assert_int_equal(say(w, &a, "finish", FINISH), 200);
	assert_false(take(w, &a));
	world_wait(w, 3601 * WORLD_SEC);
	run(w, &a);
	assert_string_equal(a.job, "lab1.1");
	assert_false(has_flag(w, "vm-1", "reserved"));
	assert_int_equal(world_post(w, "/v1/hosts/vm-1/flags/reserved?for=3600", NULL), 400);
	assert_int_equal(world_post(w, "/v1/hosts/vm-1/flags/file", NULL), 404);
}

#define T(test) cmocka_unit_test_setup_teardown(test, world_set_up, world_tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(an_announced_reboot_goes_on_with_what_was_left),
		T(a_machine_that_does_not_come_back_fails_its_attempt),
		T(a_crash_is_a_fail_of_the_job),
		T(a_new_boot_ends_a_crash_as_a_crash),
		T(a_renewed_run_lasts_longer_and_over_a_restart),
		T(a_job_that_fails_on_three_hosts_waits_for_a_person),
		T(a_held_job_that_nobody_looks_at_ends),
		T(a_health_job_goes_before_the_next_job_and_clears_the_host),
		T(a_failed_health_job_condemns_and_two_passed_ones_clear),
		T(a_host_that_fails_what_passes_elsewhere_is_put_away),
		T(a_reserved_host_serves_its_owner_until_the_moment),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

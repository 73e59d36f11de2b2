/* SPDX-License-Identifier: MulanPSL-2.0 */
/* Deadlines of a job's stages, as its machine and its user see them. */
#include "tests/support/services_job.h"

#define CGI "/~lkp/cgi-bin/"

static unsigned tell(struct world *w, const struct agent *agent, const char *target)
{
	return world_do(w, HTTP_METHOD_GET, agent->machine.address, target, NULL, NULL);
}

static long left(struct world *w, const struct agent *agent)
{
	(void)state_of(w, agent);
	return (long)json_integer_value(world_member(w, "attempts.0.deadline"));
}

static struct agent prepare_compass_run(struct world *w)
{
	struct agent agent = prepare_job(w);

	assert_int_equal(world_boot(w, &agent.machine), 200);
	assert_int_equal(left(w, &agent), 120);
	transfer(w, &agent, kernel_path, TRANSFER_DONE);
	assert_int_equal(left(w, &agent), 3600);
	assert_int_equal(
		tell(w, &agent, CGI "lkp-jobfile-append-var?job_id=lab1.1&job_state=running"), 200);
	return agent;
}

static void each_stage_has_the_time_of_compass_cis_table(void **state)
{
	struct world *w = *state;
	struct agent agent = prepare_compass_run(w);

	assert_int_equal(left(w, &agent), 367); /* 60 + 300 + sqrt(60) */
	assert_int_equal(
		tell(w, &agent, CGI "lkp-jobfile-append-var?job_id=lab1.1&job_state=post_run"),
		200);
	assert_int_equal(left(w, &agent), 1800);
	assert_int_equal(
		tell(w, &agent, CGI "lkp-jobfile-append-var?job_id=lab1.1&job_state=manual_check"),
		200);
	assert_int_equal(left(w, &agent), 36000);
	world_wait(w, 35999 * WORLD_SEC);
	assert_string_equal(state_of(w, &agent), "active");
	world_wait(w, 2 * WORLD_SEC);
	assert_string_not_equal(state_of(w, &agent), "active");
}

static void a_stage_may_be_said_with_its_time(void **state)
{
	struct world *w = *state;
	struct agent agent = prepare_compass_run(w);

	assert_int_equal(tell(w, &agent,
	                      CGI "set-job-stage?job_id=lab1.1&job_stage=on_fail"
	                          "&timeout=7200"),
	                 200);
	assert_int_equal(left(w, &agent), 7200);
	assert_int_equal(tell(w, &agent,
	                      CGI "set-job-stage?job_id=lab1.1&job_stage=running"
	                          "&timeout=90"),
	                 200);
	assert_int_equal(left(w, &agent), 90);
	world_restart(w); /* the time that was said outlives the server */
	assert_int_equal(left(w, &agent), 90);
	/* nobody but its machine says so */
	assert_int_equal(world_do(w, HTTP_METHOD_GET, 0x0a000099,
	                          CGI "set-job-stage?job_id=lab1.1&job_stage=running&timeout=9000",
	                          NULL, NULL),
	                 403);
	assert_int_equal(left(w, &agent), 90);
}

/*
 * Compass-CI keeps post_run's half hour while somebody looks at the failure, and fails on a stage
 * without a time.
 */
static void who_looks_at_a_failure_has_time_for_it(void **state)
{
	struct world *w = *state;
	struct agent agent = prepare_compass_run(w);

	assert_int_equal(
		tell(w, &agent, CGI "lkp-jobfile-append-var?job_id=lab1.1&job_state=post_run"),
		200);
	assert_int_equal(
		tell(w, &agent, CGI "set-job-stage?job_id=lab1.1&job_stage=on_fail&timeout="), 200);
	assert_int_equal(left(w, &agent), 36000);
	world_restart(w);
	assert_int_equal(left(w, &agent), 36000);
	assert_int_equal(tell(w, &agent, "/renew_deadline?job_id=lab1.1&time=3600"), 200);
	assert_int_equal(left(w, &agent), 39600);
	world_restart(w);
	assert_int_equal(left(w, &agent), 39600);
}

static void the_time_that_is_left_is_told(void **state)
{
	struct world *w = *state;
	struct agent agent = prepare_compass_run(w);

	world_wait(w, 7 * WORLD_SEC);
	assert_int_equal(world_get(w, "/get_deadline?testbox=vm-1"), 200);
	assert_true(world_body_has(w, "360"));
	assert_int_equal(world_get(w, "/scheduler/get_deadline?testbox=vm-9"), 200);
	assert_true(world_body_has(w, "no deadline"));
	assert_int_equal(world_get(w, "/get_deadline"), 500);
	w->wall -= 86400 * WORLD_SEC; /* somebody sets the clock */
	assert_int_equal(left(w, &agent), 360);
	assert_int_equal(world_get(w, "/renew_deadline?job_id=lab1.1&time=40"), 200);
	assert_int_equal(world_get(w, "/get_deadline?testbox=vm-1"), 200);
	assert_true(world_body_has(w, "400"));
}

/* One whole job whose kernel takes so long. */
static long boot_once(struct world *w, struct agent *agent, unsigned seconds)
{
	long limit;

	world_submit(w, agent->job);
	world_dhcp(w, &agent->machine, agent->machine.session + 1);
	assert_int_equal(world_boot(w, &agent->machine), 200);
	fetch_job(w, agent);
	transfer(w, agent, kernel_path, TRANSFER_DONE);
	limit = left(w, agent);
	world_wait(w, seconds * WORLD_SEC);
	assert_int_equal(say(w, agent, "hello", HELLO), 200);
	assert_int_equal(say(w, agent, "finish", FINISH), 200);
	return limit;
}

static void a_host_that_is_known_gets_twice_what_its_boots_take(void **state)
{
	struct world *w = *state;
	struct agent agent = { .machine = world_machine(w, 0x11) };

	world_register(w, "vm-1", agent.machine.mac);
	for (unsigned i = 0; i < 5; i++)
		assert_int_equal(boot_once(w, &agent, i == 2 ? 200 : 90), 3600);
	assert_int_equal(boot_once(w, &agent, 90), 400);
	world_restart(w);
	assert_int_equal(boot_once(w, &agent, 90), 400);
	for (unsigned i = 0; i < 99; i++) /* that slow one is forgotten some day */
		(void)boot_once(w, &agent, 90);
	assert_int_equal(boot_once(w, &agent, 90), 180);
}

#define IN_A_WORLD(test) cmocka_unit_test_setup_teardown(test, world_set_up, world_tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		IN_A_WORLD(each_stage_has_the_time_of_compass_cis_table),
		IN_A_WORLD(a_stage_may_be_said_with_its_time),
		IN_A_WORLD(who_looks_at_a_failure_has_time_for_it),
		IN_A_WORLD(the_time_that_is_left_is_told),
		IN_A_WORLD(a_host_that_is_known_gets_twice_what_its_boots_take),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

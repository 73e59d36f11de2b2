/* SPDX-License-Identifier: MulanPSL-2.0 */
/* The API from submit to result, called as functions; who may ask what. */
#include "tests/support/services_job.h"

static void a_job_goes_from_submit_to_result(void **state)
{
	struct world *w = *state;
	struct agent agent = prepare_job(w);

	assert_string_equal(state_of(w, &agent), "queued");
	assert_int_equal(world_boot(w, &agent.machine), 200);
	assert_true(world_body_has(w, "#!ipxe\n"));
	assert_true(world_body_has(w, "kernel http://10.0.0.1:8000/os/debian/x86_64/"
	                              "bookworm-2026-01-02-03-04-05/boot/vmlinuz-6.1 user=lkp"));
	assert_true(world_body_has(w, "initrd http://10.0.0.1:8800/initrd/osimage/debian/x86_64/"
	                              "bookworm/20260102.0.cgz || goto retry\n"));
	assert_true(world_body_has(w, "/job_initrd_tmpfs/lab1.1/job.cgz"));
	assert_true(world_body_has(w, "cci/cci.cgz"));
	assert_string_equal(attempt_state(w, &agent, 0), "offered");
	transfer(w, &agent, "/initrd/osimage/debian/x86_64/bookworm/20260102.0.cgz",
	         TRANSFER_START);
	assert_string_equal(attempt_state(w, &agent, 0), "loading");
	fetch_job(w, &agent);
	transfer(w, &agent, kernel_path, TRANSFER_DONE);
	assert_string_equal(attempt_state(w, &agent, 0), "booting");
	assert_int_equal(say(w, &agent, "hello", HELLO), 200);
	assert_string_equal(world_text(w, "job"), agent.job);
	assert_string_equal(world_text(w, "next"), "reboot");
	assert_int_equal(json_integer_value(world_member(w, "deadline")), 1800);
	assert_int_equal(say(w, &agent, "stage", "{\"stage\":\"running\",\"uptime_ms\":1}"), 200);
	assert_string_equal(attempt_state(w, &agent, 0), "running");
	assert_string_equal(state_of(w, &agent), "active");
	assert_int_equal(say(w, &agent, "heartbeat", "{\"uptime_ms\":1}"), 200);
	assert_int_equal(say(w, &agent, "stage", "{\"stage\":\"uploading\"}"), 200);
	assert_int_equal(say(w, &agent, "finish", FINISH), 200);
	assert_string_equal(state_of(w, &agent), "finished");
	assert_string_equal(world_text(w, "verdict"), "pass");
	assert_string_equal(world_text(w, "upload"), "complete");
	assert_string_equal(world_text(w, "host"), "vm-1");
	assert_int_equal(json_array_size(world_member(w, "attempts")), 1);
}

static void a_wrong_token_is_refused_and_an_ended_attempt_is_over(void **state)
{
	struct world *w = *state;
	struct agent agent = prepare_job(w), wrong;

	assert_int_equal(world_boot(w, &agent.machine), 200);
	fetch_job(w, &agent);
	wrong = agent;
	wrong.token[0] = wrong.token[0] == 'a' ? 'b' : 'a';
	assert_int_equal(say(w, &wrong, "hello", HELLO), 401);
	(void)strcpy(wrong.attempt, "77");
	assert_int_equal(say(w, &wrong, "hello", HELLO), 401);
	world_wait(w, 3600 * WORLD_SEC); /* the offer and its successor states are long over */
	assert_int_equal(say(w, &agent, "hello", HELLO), 410);
	assert_int_equal(say(w, &agent, "finish", FINISH), 410);
	assert_string_equal(attempt_state(w, &agent, 0), "infra");
}

static void job_cgz_is_for_its_machine_alone(void **state)
{
	struct world *w = *state;
	struct agent agent = prepare_job(w);
	char target[128];

	(void)snprintf(target, sizeof(target), "/job_initrd_tmpfs/%s/job.cgz", agent.job);
	assert_int_equal(world_do(w, HTTP_METHOD_GET, agent.machine.address, target, NULL, NULL),
	                 404);
	assert_int_equal(world_boot(w, &agent.machine), 200);
	assert_int_equal(world_do(w, HTTP_METHOD_GET, WORLD_ADMIN, target, NULL, NULL), 403);
	for (int i = 0; i < 3; i++)
		assert_int_equal(
			world_do(w, HTTP_METHOD_GET, agent.machine.address, target, NULL, NULL),
			200);
}

static void a_stranger_does_not_get_the_token_by_asking_first(void **state)
{
	struct world *w = *state;
	struct agent agent = prepare_job(w);
	struct world_machine stranger = { .mac = agent.machine.mac, .address = 0x0a000099 };

	assert_int_equal(world_boot(w, &stranger), 200);
	assert_int_equal(world_do(w, HTTP_METHOD_GET, stranger.address,
	                          "/job_initrd_tmpfs/lab1.1/job.cgz", NULL, NULL),
	                 403);
	assert_int_equal(world_boot(w, &agent.machine), 200);
	assert_int_equal(world_boot(w, &stranger), 200);
	assert_int_equal(world_do(w, HTTP_METHOD_GET, stranger.address,
	                          "/job_initrd_tmpfs/lab1.1/job.cgz", NULL, NULL),
	                 403);
	fetch_job(w, &agent);
}

static void finishing_twice_is_fine_with_the_same_manifest_only(void **state)
{
	struct world *w = *state;
	struct agent agent = prepare_running_job(w);

	assert_int_equal(say(w, &agent, "finish", FINISH), 200);
	assert_int_equal(say(w, &agent, "finish", FINISH), 200);
	assert_string_equal(world_text(w, "next"), "reboot");
	assert_int_equal(say(w, &agent, "finish",
	                     "{\"verdict\":\"fail\",\"cause\":\"\",\"exit_code\":1,"
	                     "\"manifest\":[],\"cut\":0}"),
	                 409);
	assert_string_equal(state_of(w, &agent), "finished");
	assert_string_equal(world_text(w, "verdict"), "pass");
}

static void strangers_may_look_but_not_submit(void **state)
{
	struct world *w = *state;

	assert_int_equal(world_do(w, HTTP_METHOD_POST, 0x0a000005, "/v1/jobs", WORLD_JOB, NULL),
	                 401);
	assert_int_equal(world_do(w, HTTP_METHOD_PUT, 0x0a000005,
	                          "/set_host_mac?hostname=a&mac=52-54-00-00-00-01", NULL, NULL),
	                 401);
	assert_int_equal(world_do(w, HTTP_METHOD_GET, 0x0a000005, "/v1/jobs", NULL, NULL), 200);
}

static unsigned submit_from_afar(struct world *w, const char *token)
{
	return world_do(w, HTTP_METHOD_POST, 0x0a000005, "/v1/jobs", WORLD_JOB, token);
}

static void token_of_the_file_lets_a_stranger_submit(void **state)
{
	struct world *w = *state;
	char path[160], error[SERVICES_ERROR_MAX];

	world_put_file(w->dir, "tokens", "# people\n0123456789abcdef alice\n");
	(void)snprintf(path, sizeof(path), "%s/tokens", w->dir);
	w->config.tokens = path;
	world_restart(w);
	assert_int_equal(submit_from_afar(w, NULL), 401);
	assert_int_equal(submit_from_afar(w, "0123456789abcdeF"), 401);
	assert_int_equal(submit_from_afar(w, "alice"), 401);
	assert_int_equal(submit_from_afar(w, "0123456789abcdef"), 201);
	world_put_file(w->dir, "tokens", "short\n");
	assert_int_equal(services_reload(w->s, w->now, w->wall, error), SERVICES_REFUSED);
	assert_int_equal(submit_from_afar(w, "0123456789abcdef"), 201);
	world_put_file(w->dir, "tokens", "fedcba9876543210\n");
	assert_int_equal(services_reload(w->s, w->now, w->wall, error), 0);
	assert_int_equal(submit_from_afar(w, "0123456789abcdef"), 401);
	assert_int_equal(submit_from_afar(w, "fedcba9876543210"), 201);
	w->config.tokens = NULL;
}

static void routes_are_told_from_each_other(void **state)
{
	struct world *w = *state;

	assert_int_equal(world_get(w, "/"), 200);
	assert_true(world_body_has(w, "LKP Alive! The time is 2026-"));
	assert_int_equal(world_get(w, "/scheduler/"), 200);
	assert_int_equal(world_get(w, "/healthz"), 200);
	assert_int_equal(world_get(w, "/metrics"), 200);
	assert_true(world_body_has(w, "cci_jobs{state=\"queued\"} 0\n"));
	assert_int_equal(world_get(w, "/nothing"), 404);
	assert_int_equal(world_get(w, "/v1/jobs/lab1.77"), 404);
	assert_int_equal(world_get(w, "/v1/jobs/other.1"), 404);
	assert_int_equal(world_post(w, "/healthz", NULL), 405);
	assert_string_equal(w->answer.allow, "GET, HEAD");
	assert_int_equal(world_get(w, "/boot.ipxe/mac/nonsense"), 400);
	assert_int_equal(world_get(w, "/boot.ipxe"), 200);
	assert_true(world_body_has(w, "chain --replace"));
}

#define IN_A_WORLD(test) cmocka_unit_test_setup_teardown(test, world_set_up, world_tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		IN_A_WORLD(a_job_goes_from_submit_to_result),
		IN_A_WORLD(a_wrong_token_is_refused_and_an_ended_attempt_is_over),
		IN_A_WORLD(job_cgz_is_for_its_machine_alone),
		IN_A_WORLD(a_stranger_does_not_get_the_token_by_asking_first),
		IN_A_WORLD(finishing_twice_is_fine_with_the_same_manifest_only),
		IN_A_WORLD(strangers_may_look_but_not_submit),
		IN_A_WORLD(token_of_the_file_lets_a_stranger_submit),
		IN_A_WORLD(routes_are_told_from_each_other),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

/* SPDX-License-Identifier: MulanPSL-2.0 */
/* The API from submit to result, called as functions. */
#include "tests/support/services_agent.h"

#include "server/service/result_service.h"

#define SHA "0000000000000000000000000000000000000000000000000000000000000001"

/* A host vm-1, its machine, a job for it. */
static struct agent prepare(struct world *w)
{
	struct agent agent = { .machine = world_machine(w, 0x11) };

	world_register(w, "vm-1", agent.machine.mac);
	world_submit(w, agent.job);
	return agent;
}

static struct agent prepare_running(struct world *w)
{
	struct agent agent = prepare(w);

	assert_int_equal(world_boot(w, &agent.machine), 200);
	fetch_job(w, &agent);
	transfer(w, &agent, kernel_path, TRANSFER_DONE);
	assert_int_equal(say(w, &agent, "hello", HELLO), 200);
	assert_int_equal(say(w, &agent, "stage", "{\"stage\":\"running\"}"), 200);
	return agent;
}

static void a_job_goes_from_submit_to_result(void **state)
{
	struct world *w = *state;
	struct agent agent = prepare(w);

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

static void asking_twice_gives_the_same_script(void **state)
{
	struct world *w = *state;
	struct agent agent = prepare(w);
	char *first;

	assert_int_equal(world_boot(w, &agent.machine), 200);
	first = strdup((char *)w->answer.body.data);
	world_link(w->initrd, "osimage/debian/x86_64/bookworm/next", "20260102.0.cgz");
	assert_int_equal(world_boot(w, &agent.machine), 200);
	assert_string_equal((char *)w->answer.body.data, first);
	world_restart(w);
	assert_int_equal(world_boot(w, &agent.machine), 200);
	assert_string_equal((char *)w->answer.body.data, first);
	free(first);
	(void)state_of(w, &agent);
	assert_int_equal(json_array_size(world_member(w, "attempts")), 1);
}

static void a_job_is_given_to_one_machine_only(void **state)
{
	struct world *w = *state;
	struct world_machine other = world_machine(w, 0x22);
	struct agent agent = prepare(w);

	world_register(w, "vm-2", other.mac);
	assert_int_equal(world_boot(w, &other), 0);
	assert_int_equal(world_boot(w, &agent.machine), 200);
	assert_int_equal(world_boot(w, &other), 0);
}

static void a_group_job_goes_to_one_of_two_machines(void **state)
{
	struct world *w = *state;
	struct world_machine one = world_machine(w, 0x11), two = world_machine(w, 0x22);

	world_register(w, "vm-1", one.mac);
	world_register(w, "vm-2", two.mac);
	assert_int_equal(world_post(w, "/v1/jobs",
	                            "{\"suite\":\"hello\",\"testbox\":\"vm\",\"os\":\"debian\","
	                            "\"os_arch\":\"x86_64\",\"os_version\":\"bookworm\","
	                            "\"os_mount\":\"initramfs\",\"script\":\"true\"}"),
	                 201);
	assert_int_equal(world_boot(w, &two), 200);
	assert_int_equal(world_boot(w, &one), 0);
}

static void a_held_machine_gets_the_next_job(void **state)
{
	struct world *w = *state;
	struct world_machine machine = world_machine(w, 0x11);
	struct api_call call = { .path = SLICE_LITERAL("/boot.ipxe/mac/52:54:00:12:34:11"),
		                 .query = SLICE_LITERAL("b=117"),
		                 .peer = machine.address,
		                 .held_since = w->now };
	uint64_t before;
	char id[64];

	world_register(w, "vm-1", machine.mac);
	assert_int_equal(world_call(w, &call), 0);
	assert_true(w->answer.hold_until == w->now + w->config.hold);
	before = api_generation(services_api(w->s));
	call.is_held = true;
	assert_int_equal(world_call(w, &call), 0);
	assert_true(api_generation(services_api(w->s)) == before); /* looking changes nothing */
	world_submit(w, id);
	assert_true(api_generation(services_api(w->s)) != before);
	assert_int_equal(world_call(w, &call), 200);
	assert_true(world_body_has(w, id));
}

static void held_long_enough_is_told_to_ask_again(void **state)
{
	struct world *w = *state;
	struct world_machine machine = world_machine(w, 0x11);
	struct api_call call = { .path = SLICE_LITERAL("/boot.ipxe/mac/52-54-00-12-34-11"),
		                 .query = SLICE_LITERAL("b=117"),
		                 .peer = machine.address,
		                 .is_held = true,
		                 .held_since = w->now };

	world_register(w, "vm-1", machine.mac);
	world_wait(w, w->config.hold);
	assert_int_equal(world_call(w, &call), 200);
	assert_true(world_body_has(w, "No job now"));
	assert_true(world_body_has(
		w, "chain --replace http://10.0.0.1:3000/boot.ipxe/mac/52-54-00-12-34-11?b=117"));
}

static void an_unknown_machine_is_registered_and_named(void **state)
{
	struct world *w = *state;
	struct world_machine machine = world_machine(w, 0x33);

	assert_int_equal(world_boot(w, &machine), 0);
	assert_int_equal(world_get(w, "/v1/hosts"), 200);
	assert_string_equal(world_text(w, "hosts.0.name"), "sched-lab1-52-54-00-12-34-33");
	assert_string_equal(world_text(w, "hosts.0.flags.0"), "discovered");
	assert_string_equal(world_text(w, "hosts.0.address"), "10.0.0.51");
	assert_string_equal(world_text(w, "hosts.0.state"), "idle_poll");
	assert_true(json_is_false(world_member(w, "hosts.0.known")));
	world_register(w, "vm-9", machine.mac);
	assert_int_equal(world_get(w, "/v1/hosts"), 200);
	assert_int_equal(json_array_size(world_member(w, "hosts")), 1);
	assert_string_equal(world_text(w, "hosts.0.name"), "vm-9");
	assert_true(json_is_true(world_member(w, "hosts.0.known")));
}

static void a_wrong_token_is_refused_and_an_ended_attempt_is_over(void **state)
{
	struct world *w = *state;
	struct agent agent = prepare(w), wrong;

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
	struct agent agent = prepare(w);
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
	struct agent agent = prepare(w);
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
	struct agent agent = prepare_running(w);

	assert_int_equal(say(w, &agent, "finish", FINISH), 200);
	assert_int_equal(say(w, &agent, "finish", FINISH), 200);
	assert_string_equal(world_text(w, "next"), "reboot");
	assert_int_equal(say(w, &agent, "finish",
	                     "{\"verdict\":\"fail\",\"cause\":\"\",\"exit_code\":1,"
	                     "\"manifest\":[],\"cut\":0}"),
	                 410);
	assert_string_equal(state_of(w, &agent), "finished");
	assert_string_equal(world_text(w, "verdict"), "pass");
}

static void upload(struct world *w, const struct agent *agent, const char *name, unsigned status)
{
	char path[128], authorization[96];
	struct upload_ask ask = { .method = HTTP_METHOD_PUT,
		                  .peer = agent->machine.address,
		                  .length = 3 };
	struct upload_grant grant;

	(void)snprintf(path, sizeof(path), "/v1/attempts/%s/files/%s", agent->attempt, name);
	(void)snprintf(authorization, sizeof(authorization), "Bearer %s", agent->token);
	ask.path = slice_from_text(path);
	ask.authorization = slice_from_text(authorization);
	assert_int_equal(result_service_open(services_results(w->s), &ask, w->now, w->wall, &grant),
	                 0);
	assert_int_equal(grant.status, status);
	if (grant.dir_fd >= 0) {
		assert_string_equal(grant.name, name);
		assert_int_equal(close(grant.dir_fd), 0);
		assert_int_equal(result_service_commit(services_results(w->s), grant.attempt, name,
		                                       3, SHA, w->now, w->wall),
		                 0);
	}
}

static void results_are_complete_when_all_of_the_manifest_came(void **state)
{
	struct world *w = *state;
	struct agent agent = prepare_running(w);

	upload(w, &agent, "big", 0);
	assert_int_equal(say(w, &agent, "finish",
	                     "{\"verdict\":\"fail\",\"cause\":\"crash\",\"exit_code\":-1,"
	                     "\"manifest\":[{\"name\":\"big\",\"size\":3,\"sha256\":\"" SHA
	                     "\"}],\"cut\":0}"),
	                 200);
	assert_string_equal(state_of(w, &agent), "finished");
	assert_string_equal(world_text(w, "upload"), "complete");
	assert_string_equal(world_text(w, "verdict"), "fail");
	assert_string_equal(world_text(w, "cause"), "crash");
	assert_int_equal(world_get(w, "/v1/jobs/lab1.1/results/"), 200);
	assert_string_equal(world_text(w, "files.0.name"), "big");
	assert_int_equal(world_get(w, "/v1/jobs/lab1.1/results/big%20file"), 307);
	assert_non_null(strstr(w->answer.location, "http://10.0.0.1:8800/result/hello/2026-09-21/"
	                                           "vm-1/debian-bookworm-x86_64/lab1.1/"));
}

static void results_that_did_not_come_are_told(void **state)
{
	struct world *w = *state;
	struct agent agent = prepare_running(w);

	assert_int_equal(say(w, &agent, "finish",
	                     "{\"verdict\":\"pass\",\"cause\":\"\",\"exit_code\":0,"
	                     "\"manifest\":[{\"name\":\"big\",\"size\":3,\"sha256\":\"" SHA
	                     "\"}],\"cut\":0}"),
	                 200);
	(void)state_of(w, &agent);
	assert_string_equal(world_text(w, "verdict"), "pass");
	assert_string_equal(world_text(w, "upload"), "incomplete");
}

static void uploads_need_the_token_of_an_open_attempt(void **state)
{
	struct world *w = *state;
	struct agent agent = prepare_running(w), wrong = agent;

	(void)strcpy(wrong.token, "x");
	upload(w, &wrong, "big", 401);
	upload(w, &agent, "a/b", 403);
	upload(w, &agent, ".attempt", 403);
	upload(w, &agent, "big", 0);
	assert_int_equal(say(w, &agent, "finish", FINISH), 200);
	upload(w, &agent, "big", 410);
}

static void result_whose_name_is_no_text_is_shown_all_the_same(void **state)
{
	struct world *w = *state;
	struct agent agent = prepare_running(w);

	assert_int_equal(result_service_commit(services_results(w->s), atoll(agent.attempt),
	                                       "\xff.log", 3, SHA, w->now, w->wall),
	                 0);
	assert_int_equal(world_get(w, "/v1/jobs/lab1.1/results"), 200);
	assert_int_equal(json_array_size(world_member(w, "files")), 1);
	assert_string_equal(world_text(w, "files.0.name"), "\\xff.log");
}

static void compass_uploads_need_cookie_path_and_machine(void **state)
{
	struct world *w = *state;
	struct agent agent = prepare_running(w);
	char path[256];
	struct upload_ask ask = { .method = HTTP_METHOD_PUT,
		                  .cookie = SLICE_LITERAL("a=b; JOBID=lab1.1"),
		                  .peer = agent.machine.address,
		                  .length = -1 };
	struct upload_grant grant;
	struct result_service *results = services_results(w->s);

	(void)state_of(w, &agent);
	(void)snprintf(path, sizeof(path), "%s/sub/stdout", world_text(w, "result_root"));
	ask.path = slice_from_text(path);
	assert_int_equal(result_service_open(results, &ask, w->now, w->wall, &grant), 0);
	assert_int_equal(grant.status, 0);
	assert_string_equal(grant.name, "stdout");
	assert_int_equal(close(grant.dir_fd), 0);
	ask.peer = 0x0a000099;
	assert_int_equal(result_service_open(results, &ask, w->now, w->wall, &grant), 0);
	assert_int_equal(grant.status, 403);
	ask.peer = agent.machine.address;
	ask.path = SLICE_LITERAL("/result/other/file");
	assert_int_equal(result_service_open(results, &ask, w->now, w->wall, &grant), 0);
	assert_int_equal(grant.status, 403);
	ask.path = slice_from_text(path);
	ask.cookie = SLICE_NULL;
	assert_int_equal(result_service_open(results, &ask, w->now, w->wall, &grant), 0);
	assert_int_equal(grant.status, 403);
}

static void a_reset_machine_ends_its_attempt_and_the_job_is_tried_again(void **state)
{
	struct world *w = *state;
	struct agent agent = prepare_running(w);

	world_dhcp(w, &agent.machine, 500);
	assert_int_equal(world_boot(w, &agent.machine), 0); /* back-off: not at once */
	assert_string_equal(state_of(w, &agent), "queued");
	assert_string_equal(world_text(w, "attempts.0.state"), "infra");
	assert_string_equal(world_text(w, "attempts.0.cause"), "unexpected_reset");
	assert_int_equal(say(w, &agent, "heartbeat", "{}"), 410);
	world_wait(w, 31 * WORLD_SEC);
	assert_int_equal(world_boot(w, &agent.machine), 200);
	assert_string_equal(attempt_state(w, &agent, 1), "offered");
}

static void an_echo_of_the_boot_does_not_disturb_a_run(void **state)
{
	struct world *w = *state;
	struct agent agent = prepare_running(w), echo = agent;

	assert_int_equal(world_boot(w, &agent.machine), 0);
	echo.machine.session = 55; /* of some boot before */
	assert_int_equal(world_boot(w, &echo.machine), 0);
	echo.machine.session = 0;
	assert_int_equal(world_boot(w, &echo.machine), 0);
	assert_string_equal(attempt_state(w, &agent, 0), "running");
	world_wait(w, 61 * WORLD_SEC); /* the agent is silent past its lease */
	assert_int_equal(world_boot(w, &echo.machine), 0);
	assert_string_equal(attempt_state(w, &agent, 0), "infra");
}

static void another_kernel_with_the_same_token_is_not_let_in(void **state)
{
	struct world *w = *state;
	struct agent agent = prepare_running(w);

	assert_int_equal(say(w, &agent, "hello", HELLO), 200);
	assert_int_equal(say(w, &agent, "hello",
	                     "{\"boot_id\":\"b2\",\"agent\":\"0.1.0\",\"api\":1,\"kernel\":\"6.1\","
	                     "\"uptime_ms\":1}"),
	                 410);
	assert_string_equal(attempt_state(w, &agent, 0), "infra");
}

static void an_offer_nobody_takes_comes_back_without_a_charge(void **state)
{
	struct world *w = *state;
	struct agent agent = prepare(w);

	for (unsigned i = 0; i < 5; i++) {
		assert_int_equal(world_boot(w, &agent.machine), 200);
		world_wait(w, 121 * WORLD_SEC);
		assert_string_equal(state_of(w, &agent), "queued");
		assert_string_equal(attempt_state(w, &agent, i), "lost_offer");
	}
}

static void a_job_that_failed_here_prefers_another_host_that_is_around(void **state)
{
	struct world *w = *state;
	struct world_machine one = world_machine(w, 0x11), two = world_machine(w, 0x22);

	world_register(w, "vm-1", one.mac);
	world_register(w, "vm-2", two.mac);
	assert_int_equal(world_boot(w, &two), 0);
	assert_int_equal(world_post(w, "/v1/jobs",
	                            "suite: hello\ntestbox: vm\nos: debian\nos_arch: x86_64\n"
	                            "os_version: bookworm\nos_mount: initramfs\nscript: x\n"),
	                 201);
	assert_int_equal(world_boot(w, &one), 200);
	world_wait(w, 121 * WORLD_SEC);
	assert_int_equal(world_boot(w, &one), 0); /* vm-2 asked two minutes ago */
	world_wait(w, 3600 * WORLD_SEC);
	assert_int_equal(world_boot(w, &one), 200); /* it has gone */
}

static void infrastructure_gives_up_after_three_tries(void **state)
{
	struct world *w = *state;
	struct agent agent = prepare(w);

	for (unsigned i = 0; i < 3; i++) {
		assert_int_equal(world_boot(w, &agent.machine), 200);
		transfer(w, &agent, kernel_path, TRANSFER_DONE);
		world_wait(w, 601 * WORLD_SEC);
		assert_string_equal(attempt_state(w, &agent, i), "infra");
		world_wait(w, 601 * WORLD_SEC);
	}
	assert_string_equal(state_of(w, &agent), "error");
	assert_string_equal(world_text(w, "cause"), "no_hello");
	assert_int_equal(world_boot(w, &agent.machine), 0);
}

static void a_run_that_takes_too_long_times_out(void **state)
{
	struct world *w = *state;
	struct agent agent = prepare_running(w);

	/* runtime 60: 60 + 300 + 7, and a minute for the agent to say so */
	world_wait(w, 426 * WORLD_SEC);
	assert_string_equal(state_of(w, &agent), "active");
	world_wait(w, 2 * WORLD_SEC);
	assert_string_equal(state_of(w, &agent), "timeout");
	assert_int_equal(say(w, &agent, "finish", FINISH), 410);
}

static void a_run_that_its_agent_stopped_in_time_timed_out_too(void **state)
{
	struct world *w = *state;
	struct agent agent = prepare_running(w);

	assert_int_equal(say(w, &agent, "finish",
	                     "{\"verdict\":\"fail\",\"cause\":\"timeout\",\"exit_code\":-1,"
	                     "\"manifest\":[],\"cut\":0}"),
	                 200);
	assert_string_equal(state_of(w, &agent), "timeout");
	assert_string_equal(world_text(w, "cause"), "timeout");
	assert_string_equal(world_text(w, "upload"), "complete");
}

static void a_cancelled_run_is_told_by_heartbeat_and_ends(void **state)
{
	struct world *w = *state;
	struct agent agent = prepare_running(w);

	assert_int_equal(world_post(w, "/v1/jobs/lab1.1/cancel", NULL), 200);
	assert_string_equal(world_text(w, "state"), "active");
	assert_int_equal(world_post(w, "/v1/jobs/lab1.1/cancel", NULL), 200);
	assert_int_equal(say(w, &agent, "heartbeat", "{}"), 200);
	assert_true(json_is_true(world_member(w, "cancel")));
	assert_int_equal(say(w, &agent, "finish",
	                     "{\"verdict\":\"fail\",\"cause\":\"cancelled\",\"exit_code\":-1,"
	                     "\"manifest\":[],\"cut\":0}"),
	                 200);
	assert_string_equal(state_of(w, &agent), "cancelled");
	assert_int_equal(world_post(w, "/v1/jobs/lab1.1/cancel", NULL), 409);
}

static void a_cancelled_job_that_does_not_run_ends_at_once(void **state)
{
	struct world *w = *state;
	struct agent agent = prepare(w);

	assert_int_equal(world_post(w, "/v1/jobs/lab1.1/cancel", NULL), 200);
	assert_string_equal(world_text(w, "state"), "cancelled");
	assert_int_equal(world_boot(w, &agent.machine), 0);
	world_submit(w, agent.job);
	assert_int_equal(world_boot(w, &agent.machine), 200);
	fetch_job(w, &agent);
	assert_int_equal(world_post(w, "/v1/jobs/lab1.2/cancel", NULL), 200);
	assert_string_equal(world_text(w, "state"), "cancelled");
	assert_int_equal(say(w, &agent, "hello", HELLO), 410);
}

static void a_cancelled_run_that_never_answers_ends_too(void **state)
{
	struct world *w = *state;
	struct agent agent = prepare_running(w);

	assert_int_equal(world_post(w, "/v1/jobs/lab1.1/cancel", NULL), 200);
	world_wait(w, 191 * WORLD_SEC);
	assert_string_equal(state_of(w, &agent), "cancelled");
}

static void a_missing_image_makes_the_job_wait_and_say_so(void **state)
{
	struct world *w = *state;
	struct agent agent = { .machine = world_machine(w, 0x11) };

	world_register(w, "vm-1", agent.machine.mac);
	assert_int_equal(world_post(w, "/v1/jobs",
	                            "suite: hello\ntestbox: vm-1\nos: debian\nos_arch: x86_64\n"
	                            "os_version: trixie\nos_mount: initramfs\nscript: x\n"),
	                 201);
	(void)strcpy(agent.job, world_text(w, "id"));
	assert_int_equal(world_boot(w, &agent.machine), 0);
	assert_string_equal(state_of(w, &agent), "waiting");
	assert_string_equal(world_text(w, "reason"),
	                    "missing kernel /os/debian/x86_64/trixie/boot/vmlinuz");
	world_link(w->os, "debian/x86_64/trixie", "bookworm-2026-01-02-03-04-05");
	world_link(w->initrd, "osimage/debian/x86_64/trixie", "bookworm");
	world_link(w->initrd, "deps/initramfs/debian/x86_64/trixie", "bookworm");
	assert_int_equal(world_boot(w, &agent.machine), 200);
	assert_string_equal(state_of(w, &agent), "active");
}

static void a_strict_job_with_a_missing_image_is_refused(void **state)
{
	struct world *w = *state;

	assert_int_equal(world_post(w, "/v1/jobs",
	                            "suite: hello\ntestbox: vm-1\nos: debian\nos_arch: x86_64\n"
	                            "os_version: trixie\nos_mount: initramfs\nscript: x\n"
	                            "strict: true\n"),
	                 400);
	assert_string_equal(world_text(w, "field"), "strict");
	assert_non_null(strstr(world_text(w, "detail"), "missing kernel"));
	assert_int_equal(world_get(w, "/v1/jobs"), 200);
	assert_int_equal(json_array_size(world_member(w, "jobs")), 0);
}

static void a_file_that_leads_out_of_its_root_is_not_served(void **state)
{
	struct world *w = *state;
	struct agent agent = prepare(w);
	char path[256];

	(void)snprintf(path, sizeof(path), "%s/osimage/debian/x86_64/bookworm/current", w->initrd);
	assert_int_equal(unlink(path), 0);
	world_link(w->initrd, "osimage/debian/x86_64/bookworm/current", "/etc/hostname");
	assert_int_equal(world_boot(w, &agent.machine), 0);
	assert_string_equal(state_of(w, &agent), "waiting");
	assert_non_null(strstr(world_text(w, "reason"), "leads out of its directory"));
}

static void a_bad_job_is_refused_by_its_field(void **state)
{
	struct world *w = *state;

	assert_int_equal(world_post(w, "/v1/jobs",
	                            "suite: hello\ntestbox: vm-1\nos: debian\nos_mount: floppy\n"
	                            "script: x\n"),
	                 400);
	assert_string_equal(world_text(w, "field"), "os_mount");
	assert_string_equal(w->answer.content_type, "application/problem+json");
	assert_int_equal(world_post(w, "/v1/jobs", "a: [1"), 400);
	assert_int_equal(world_post(w, "/v1/jobs", ""), 400);
}

static void a_repeated_submit_makes_one_job(void **state)
{
	struct world *w = *state;
	struct api_call call = { .method = HTTP_METHOD_POST,
		                 .path = SLICE_LITERAL("/v1/jobs"),
		                 .body = SLICE_LITERAL(WORLD_JOB),
		                 .idempotency_key = SLICE_LITERAL("k1"),
		                 .peer = WORLD_ADMIN };

	assert_int_equal(world_call(w, &call), 201);
	assert_string_equal(world_text(w, "id"), "lab1.1");
	world_restart(w);
	assert_int_equal(world_call(w, &call), 201);
	assert_string_equal(world_text(w, "id"), "lab1.1");
	call.body = SLICE_LITERAL(WORLD_JOB "priority: 3\n");
	assert_int_equal(world_call(w, &call), 422);
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

static void compass_submit_has_its_shape(void **state)
{
	struct world *w = *state;

	assert_int_equal(world_post(w, "/scheduler/submit_job",
	                            "{\"suite\":\"hello\",\"testbox\":\"vm-1\",\"os\":\"debian\","
	                            "\"os_arch\":\"x86_64\",\"os_version\":\"bookworm\","
	                            "\"my_token\":\"x\",\"job2sh\":{\"run_job\":[\"true\"]}}"),
	                 200);
	assert_true(json_is_array(w->json));
	assert_string_equal(world_text(w, "0.job_id"), "lab1.1");
	assert_string_equal(world_text(w, "0.message"), "");
	assert_int_equal(strncmp(world_text(w, "0.result_root"), "/srv/result/hello/", 18), 0);
	assert_int_equal(world_post(w, "/submit_job", "{\"suite\":\"a b\"}"), 202);
	assert_string_equal(world_text(w, "0.job_id"), "0");
	assert_int_equal(world_post(w, "/cancel_jobs", "{\"job_ids\":[\"lab1.1\",\"zz\"]}"), 200);
	assert_string_equal(world_text(w, "results.0.result"), "success");
	assert_string_equal(world_text(w, "results.1.result"), "failed");
}

/* The sequence of compass-ci-protocol.md 11.2, without its files. */
static void a_compass_client_runs_without_hello(void **state)
{
	static const char *const calls[] = {
		"/~lkp/cgi-bin/lkp-wtmp?tbox_name=vm-1&tbox_state=running&mac=52-54-00-12-34-11"
		"&ip=10.0.0.17&job_id=lab1.1",
		"/~lkp/cgi-bin/lkp-jobfile-append-var?job_file=/lkp/scheduled/job.yaml&job_id=lab1.1"
		"&job_state=running",
		"/~lkp/cgi-bin/lkp-jobfile-append-var?job_file=/lkp/scheduled/job.yaml&job_id=lab1.1"
		"&job_state=post_run",
		"/~lkp/cgi-bin/lkp-jobfile-append-var?job_file=/x&job_id=lab1.1&loadavg=3.45%201.65"
		"&start_time=1&end_time=2&&",
		"/~lkp/cgi-bin/lkp-jobfile-append-var?job_file=/x&job_id=lab1.1&job_state=failed",
	};
	static const char *const states[] = { "setup", "running", "uploading", "uploading",
		                              "uploading" };
	struct world *w = *state;
	struct agent agent = prepare(w);

	assert_int_equal(world_boot(w, &agent.machine), 200);
	fetch_job(w, &agent);
	assert_int_equal(world_do(w, HTTP_METHOD_GET, 0x0a000099, calls[1], NULL, NULL), 403);
	for (size_t i = 0; i < ARRAY_SIZE(calls); i++) {
		assert_int_equal(
			world_do(w, HTTP_METHOD_GET, agent.machine.address, calls[i], NULL, NULL),
			200);
		assert_string_equal(attempt_state(w, &agent, 0), states[i]);
	}
	assert_int_equal(world_do(w, HTTP_METHOD_GET, agent.machine.address,
	                          "/~lkp/cgi-bin/lkp-post-run?job_file=/x&job_id=lab1.1", NULL,
	                          NULL),
	                 200);
	assert_string_equal(state_of(w, &agent), "finished");
	assert_string_equal(world_text(w, "verdict"), "fail");
	assert_int_equal(world_do(w, HTTP_METHOD_GET, agent.machine.address,
	                          "/~lkp/cgi-bin/lkp-wtmp?tbox_state=rebooting&job_id=lab1.1", NULL,
	                          NULL),
	                 200);
}

/* F12: such a client never sends lkp-post-run. */
static void a_compass_client_that_could_not_start_ends_by_rebooting(void **state)
{
	struct world *w = *state;
	struct agent agent = prepare(w);

	assert_int_equal(world_boot(w, &agent.machine), 200);
	assert_int_equal(world_do(w, HTTP_METHOD_GET, agent.machine.address,
	                          "/~lkp/cgi-bin/lkp-jobfile-append-var?job_id=lab1.1"
	                          "&job_state=load_disk_fail",
	                          NULL, NULL),
	                 200);
	assert_int_equal(world_do(w, HTTP_METHOD_GET, agent.machine.address,
	                          "/~lkp/cgi-bin/lkp-wtmp?tbox_state=rebooting&job_id=lab1.1", NULL,
	                          NULL),
	                 200);
	assert_string_equal(attempt_state(w, &agent, 0), "infra");
	assert_string_equal(state_of(w, &agent), "queued");
	assert_non_null(strstr(world_text(w, "reason"), "load_disk_fail"));
}

static void events_of_a_job_end_with_it(void **state)
{
	struct world *w = *state;
	struct agent agent = prepare_running(w);
	struct api_follow cursor = { .kind = API_FOLLOW_EVENTS, .job = 1, .is_sse = true };
	CLEANUP(buffer_deinit) struct buffer out = BUFFER_NULL;

	assert_int_equal(api_follow_next(services_api(w->s), &cursor, &out), API_FOLLOW_WAIT);
	assert_non_null(strstr((char *)out.data, "event: boot.offer\ndata: {"));
	assert_int_equal(say(w, &agent, "finish", FINISH), 200);
	assert_int_equal(api_follow_next(services_api(w->s), &cursor, &out), API_FOLLOW_END);
	assert_non_null(strstr((char *)out.data, "event: job.finished\n"));
	assert_int_equal(world_get(w, "/v1/jobs/lab1.1/events"), 200);
	assert_string_equal(world_text(w, "events.0.kind"), "job.state");
	assert_string_equal(world_text(w, "events.0.job"), "lab1.1");
	assert_int_equal(world_get(w, "/v1/jobs/lab1.1/timeline"), 200);
	assert_string_equal(world_text(w, "boot.0.stage"), "wait");
}

static void put_output(struct world *w, const struct agent *agent, const char *name,
                       const char *text)
{
	char dir[512];

	(void)state_of(w, agent);
	(void)snprintf(dir, sizeof(dir), "%s%s", w->results,
	               world_text(w, "result_root") + strlen("/result"));
	world_put_file(dir, name, text);
}

static void the_log_is_followed_while_it_grows(void **state)
{
	struct world *w = *state;
	struct agent agent = prepare_running(w);
	struct api_follow cursor;
	CLEANUP(buffer_deinit) struct buffer out = BUFFER_NULL;

	assert_int_equal(world_get(w, "/v1/jobs/lab1.1/log"), 404);
	assert_int_equal(world_get(w, "/v1/jobs/lab1.1/log?follow=1"), 200);
	assert_int_equal(w->answer.want, API_FOLLOW);
	cursor = w->answer.follow;
	assert_int_equal(api_follow_next(services_api(w->s), &cursor, &out), API_FOLLOW_WAIT);
	put_output(w, &agent, ".output.part", "one\n");
	assert_int_equal(api_follow_next(services_api(w->s), &cursor, &out), API_FOLLOW_WAIT);
	assert_slice_equal(buffer_slice(&out), "one\n");
	put_output(w, &agent, "output", "one\ntwo\n");
	assert_int_equal(say(w, &agent, "finish", FINISH), 200);
	assert_int_equal(api_follow_next(services_api(w->s), &cursor, &out), API_FOLLOW_END);
	assert_slice_equal(buffer_slice(&out), "one\ntwo\n");
	assert_int_equal(world_get(w, "/v1/jobs/lab1.1/log?offset=4"), 200);
	cursor = w->answer.follow;
	buffer_consume(&out, out.len);
	assert_int_equal(api_follow_next(services_api(w->s), &cursor, &out), API_FOLLOW_END);
	assert_slice_equal(buffer_slice(&out), "two\n");
}

static void a_second_attempt_begins_with_an_empty_directory(void **state)
{
	struct world *w = *state;
	struct agent agent = prepare_running(w);
	char path[512];

	put_output(w, &agent, "output", "of the first attempt");
	world_dhcp(w, &agent.machine, 500);
	assert_int_equal(world_boot(w, &agent.machine), 0);
	world_wait(w, 31 * WORLD_SEC);
	assert_int_equal(world_boot(w, &agent.machine), 200);
	(void)state_of(w, &agent);
	(void)snprintf(path, sizeof(path), "%s%s/output", w->results,
	               world_text(w, "result_root") + strlen("/result"));
	assert_int_equal(access(path, F_OK), -1);
	(void)snprintf(path, sizeof(path), "%s%s.attempt-1/output", w->results,
	               world_text(w, "result_root") + strlen("/result"));
	assert_int_equal(access(path, F_OK), 0);
	(void)snprintf(path, sizeof(path), "%s%s/job.yaml", w->results,
	               world_text(w, "result_root") + strlen("/result"));
	assert_int_equal(access(path, F_OK), 0);
}

static void jobs_are_listed_in_pages(void **state)
{
	struct world *w = *state;
	char id[64];

	for (int i = 0; i < 5; i++)
		world_submit(w, id);
	assert_int_equal(world_get(w, "/v1/jobs?limit=2"), 200);
	assert_string_equal(world_text(w, "jobs.0.id"), "lab1.5");
	assert_string_equal(world_text(w, "next"), "4");
	assert_int_equal(world_get(w, "/v1/jobs?limit=2&after=4"), 200);
	assert_string_equal(world_text(w, "jobs.0.id"), "lab1.3");
	assert_int_equal(world_get(w, "/v1/jobs?state=finished"), 200);
	assert_int_equal(json_array_size(world_member(w, "jobs")), 0);
	assert_true(json_is_null(world_member(w, "next")));
	assert_int_equal(world_get(w, "/v1/jobs?state=nonsense"), 400);
	assert_int_equal(world_get(w, "/v1/jobs?host=vm-1"), 200);
	assert_int_equal(json_array_size(world_member(w, "jobs")), 0);
}

static void an_ended_job_is_retried_as_a_new_one(void **state)
{
	struct world *w = *state;
	struct agent agent = prepare(w);

	assert_int_equal(world_post(w, "/v1/jobs/lab1.1/retry", NULL), 409);
	assert_int_equal(world_post(w, "/v1/jobs/lab1.1/cancel", NULL), 200);
	assert_int_equal(world_post(w, "/v1/jobs/lab1.1/retry", NULL), 201);
	assert_string_equal(world_text(w, "id"), "lab1.2");
	assert_int_equal(world_boot(w, &agent.machine), 200);
	assert_true(world_body_has(w, "lab1.2"));
}

static void a_job_says_why_it_waits(void **state)
{
	struct world *w = *state;
	struct agent agent = { .job = "lab1.1" }, other = { .job = "lab1.2" };

	world_submit(w, agent.job);
	(void)state_of(w, &agent);
	assert_string_equal(world_text(w, "reason"), "no host matches testbox vm-1, queue vm-1");
	agent.machine = world_machine(w, 0x11);
	world_register(w, "vm-1", agent.machine.mac);
	(void)state_of(w, &agent);
	assert_string_equal(world_text(w, "reason"), "none of 1 matching hosts has booted yet");
	assert_int_equal(world_boot(w, &agent.machine), 200);
	world_submit(w, other.job);
	(void)state_of(w, &other);
	assert_string_equal(world_text(w, "reason"), "all 1 matching hosts are busy");
}

/* The reason of the n-th job of a list, the newest first. */
static const char *listed_reason(struct world *w, size_t n)
{
	return json_string_value(
		json_object_get(json_array_get(world_member(w, "jobs"), n), "reason"));
}

static void a_list_says_why_its_jobs_wait(void **state)
{
	struct world *w = *state;
	struct agent agent = { .machine = world_machine(w, 0x11) };
	char id[64];

	world_register(w, "vm-1", agent.machine.mac);
	world_submit(w, id);
	assert_int_equal(world_boot(w, &agent.machine), 200);
	for (int i = 0; i < 30; i++)
		world_submit(w, id);
	assert_int_equal(world_get(w, "/v1/jobs"), 200);
	assert_int_equal(json_array_size(world_member(w, "jobs")), 31);
	for (size_t i = 0; i < 30; i++) /* they wait for the same: no bound is reached */
		assert_string_equal(listed_reason(w, i), "all 1 matching hosts are busy");
	assert_null(listed_reason(w, 30)); /* it runs */
}

static void a_drained_host_gets_nothing(void **state)
{
	struct world *w = *state;
	struct agent agent = prepare(w);

	assert_int_equal(world_post(w, "/v1/hosts/vm-1/drain?reason=fan", NULL), 200);
	assert_string_equal(world_text(w, "flags.0"), "drain");
	assert_string_equal(world_text(w, "reason"), "fan");
	assert_int_equal(world_boot(w, &agent.machine), 0);
	assert_int_equal(world_post(w, "/v1/hosts/vm-1/undrain", NULL), 200);
	assert_int_equal(world_boot(w, &agent.machine), 200);
	assert_int_equal(world_post(w, "/v1/hosts/none/drain", NULL), 404);
}

static void a_host_is_described_over_the_api(void **state)
{
	struct world *w = *state;

	assert_int_equal(world_do(w, HTTP_METHOD_PUT, WORLD_ADMIN, "/v1/hosts/vm-5",
	                          "{\"arch\":\"aarch64\",\"memory\":\"32G\",\"mac_addr\":"
	                          "[\"52-54-00-12-34-55\"],\"queues\":[\"q1\"]}",
	                          NULL),
	                 200);
	assert_string_equal(world_text(w, "arch"), "aarch64");
	assert_string_equal(world_text(w, "queues.0"), "q1");
	assert_string_equal(world_text(w, "macs.0"), "52:54:00:12:34:55");
	assert_int_equal(world_do(w, HTTP_METHOD_PUT, WORLD_ADMIN, "/v1/hosts/vm-5",
	                          "{\"memory\":\"many\"}", NULL),
	                 400);
	assert_string_equal(world_text(w, "field"), "memory");
	assert_int_equal(world_do(w, HTTP_METHOD_DELETE, WORLD_ADMIN, "/v1/hosts/vm-5", NULL, NULL),
	                 204);
	assert_int_equal(world_get(w, "/v1/hosts/vm-5"), 404);
}

#define IN_A_WORLD(test) cmocka_unit_test_setup_teardown(test, world_set_up, world_tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		IN_A_WORLD(a_job_goes_from_submit_to_result),
		IN_A_WORLD(asking_twice_gives_the_same_script),
		IN_A_WORLD(a_job_is_given_to_one_machine_only),
		IN_A_WORLD(a_group_job_goes_to_one_of_two_machines),
		IN_A_WORLD(a_held_machine_gets_the_next_job),
		IN_A_WORLD(held_long_enough_is_told_to_ask_again),
		IN_A_WORLD(an_unknown_machine_is_registered_and_named),
		IN_A_WORLD(a_wrong_token_is_refused_and_an_ended_attempt_is_over),
		IN_A_WORLD(job_cgz_is_for_its_machine_alone),
		IN_A_WORLD(a_stranger_does_not_get_the_token_by_asking_first),
		IN_A_WORLD(finishing_twice_is_fine_with_the_same_manifest_only),
		IN_A_WORLD(results_are_complete_when_all_of_the_manifest_came),
		IN_A_WORLD(results_that_did_not_come_are_told),
		IN_A_WORLD(uploads_need_the_token_of_an_open_attempt),
		IN_A_WORLD(result_whose_name_is_no_text_is_shown_all_the_same),
		IN_A_WORLD(compass_uploads_need_cookie_path_and_machine),
		IN_A_WORLD(a_reset_machine_ends_its_attempt_and_the_job_is_tried_again),
		IN_A_WORLD(an_echo_of_the_boot_does_not_disturb_a_run),
		IN_A_WORLD(another_kernel_with_the_same_token_is_not_let_in),
		IN_A_WORLD(an_offer_nobody_takes_comes_back_without_a_charge),
		IN_A_WORLD(a_job_that_failed_here_prefers_another_host_that_is_around),
		IN_A_WORLD(infrastructure_gives_up_after_three_tries),
		IN_A_WORLD(a_run_that_takes_too_long_times_out),
		IN_A_WORLD(a_run_that_its_agent_stopped_in_time_timed_out_too),
		IN_A_WORLD(a_cancelled_run_is_told_by_heartbeat_and_ends),
		IN_A_WORLD(a_cancelled_job_that_does_not_run_ends_at_once),
		IN_A_WORLD(a_cancelled_run_that_never_answers_ends_too),
		IN_A_WORLD(a_missing_image_makes_the_job_wait_and_say_so),
		IN_A_WORLD(a_strict_job_with_a_missing_image_is_refused),
		IN_A_WORLD(a_file_that_leads_out_of_its_root_is_not_served),
		IN_A_WORLD(a_bad_job_is_refused_by_its_field),
		IN_A_WORLD(a_repeated_submit_makes_one_job),
		IN_A_WORLD(strangers_may_look_but_not_submit),
		IN_A_WORLD(token_of_the_file_lets_a_stranger_submit),
		IN_A_WORLD(routes_are_told_from_each_other),
		IN_A_WORLD(compass_submit_has_its_shape),
		IN_A_WORLD(a_compass_client_runs_without_hello),
		IN_A_WORLD(a_compass_client_that_could_not_start_ends_by_rebooting),
		IN_A_WORLD(events_of_a_job_end_with_it),
		IN_A_WORLD(the_log_is_followed_while_it_grows),
		IN_A_WORLD(a_second_attempt_begins_with_an_empty_directory),
		IN_A_WORLD(jobs_are_listed_in_pages),
		IN_A_WORLD(an_ended_job_is_retried_as_a_new_one),
		IN_A_WORLD(a_job_says_why_it_waits),
		IN_A_WORLD(a_list_says_why_its_jobs_wait),
		IN_A_WORLD(a_drained_host_gets_nothing),
		IN_A_WORLD(a_host_is_described_over_the_api),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

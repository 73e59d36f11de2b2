/* SPDX-License-Identifier: MulanPSL-2.0 */
/* How attempts end, and what becomes of their jobs. */
#include "tests/support/services_job.h"

static void a_reset_machine_ends_its_attempt_and_the_job_is_tried_again(void **state)
{
	struct world *w = *state;
	struct agent agent = prepare_running_job(w);

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
	struct agent agent = prepare_running_job(w), echo = agent;

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
	struct agent agent = prepare_running_job(w);

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
	struct agent agent = prepare_job(w);

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
	struct agent agent = prepare_job(w);

	for (unsigned i = 0; i < 3; i++) {
		assert_int_equal(world_boot(w, &agent.machine), 200);
		transfer(w, &agent, kernel_path, TRANSFER_DONE);
		world_wait(w, 3601 * WORLD_SEC);
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
	struct agent agent = prepare_running_job(w);

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
	struct agent agent = prepare_running_job(w);

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
	struct agent agent = prepare_running_job(w);

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
	struct agent agent = prepare_job(w);

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
	struct agent agent = prepare_running_job(w);

	assert_int_equal(world_post(w, "/v1/jobs/lab1.1/cancel", NULL), 200);
	world_wait(w, 191 * WORLD_SEC);
	assert_string_equal(state_of(w, &agent), "cancelled");
}

#define IN_A_WORLD(test) cmocka_unit_test_setup_teardown(test, world_set_up, world_tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
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
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

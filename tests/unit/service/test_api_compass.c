/* SPDX-License-Identifier: MulanPSL-2.0 */
/* Compass-CI's clients. */
#include "tests/support/services_job.h"

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
	struct agent agent = prepare_job(w);

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
	struct agent agent = prepare_job(w);

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

/* What lkp-post-run says of the job counts where nothing was said before; "return" always. */
static void the_last_report_may_bring_the_word(void **state)
{
	static const struct {
		const char *before, *last, *verdict, *cause;
	} rows[] = {
		{ NULL, "job_health=failed", "fail", "failed" },
		{ "OOM", "job_health=success", "fail", "oom" },
		{ "OOM", "job_health=return", "pass", "returned" },
		{ NULL, "job_state=running", "pass", "" },
	};
	struct world *w = *state;
	struct agent agent = { .machine = world_machine(w, 0x11) };
	char target[160];

	world_register(w, "vm-1", agent.machine.mac);
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		world_submit(w, agent.job);
		world_dhcp(w, &agent.machine, agent.machine.session + 1);
		assert_int_equal(world_boot(w, &agent.machine), 200);
		(void)snprintf(target, sizeof(target),
		               "/~lkp/cgi-bin/lkp-jobfile-append-var?job_id=%s&job_state=%s",
		               agent.job, rows[i].before ? rows[i].before : "");
		assert_int_equal(
			world_do(w, HTTP_METHOD_GET, agent.machine.address, target, NULL, NULL),
			200);
		(void)snprintf(target, sizeof(target), "/~lkp/cgi-bin/lkp-post-run?job_id=%s&%s",
		               agent.job, rows[i].last);
		assert_int_equal(
			world_do(w, HTTP_METHOD_GET, agent.machine.address, target, NULL, NULL),
			200);
		assert_string_equal(state_of(w, &agent), "finished");
		assert_string_equal(world_text(w, "verdict"), rows[i].verdict);
		assert_string_equal(world_text(w, "cause"), rows[i].cause);
	}
}

/* do_not_reboot: the next job is asked for by kexec, with the address in either form. */
static void the_next_job_is_found_for_kexec(void **state)
{
	struct world *w = *state;
	struct agent agent = prepare_job(w);
	const char *next = "/~lkp/cgi-bin/gpxelinux.cgi?hostname=vm-1&mac=52:54:00:12:34:11"
			   "&last_kernel=6.1&lkp_wtmp";

	assert_int_equal(world_do(w, HTTP_METHOD_GET, agent.machine.address, next, NULL, NULL),
	                 200);
	assert_true(world_body_has(w, "\nkernel http://"));
	assert_true(world_body_has(w, "/job_initrd_tmpfs/lab1.1/job.cgz\n"));
	assert_int_equal(world_get(w, "/~lkp/cgi-bin/gpxelinux.cgi?hostname=vm-1"), 400);
}

static void the_other_routes_answer(void **state)
{
	struct world *w = *state;
	struct agent agent = prepare_job(w);

	assert_int_equal(world_boot(w, &agent.machine), 200);
	assert_int_equal(world_get(w, "/get_testbox?testbox=vm-1"), 200);
	assert_string_equal(world_text(w, "name"), "vm-1");
	assert_int_equal(world_get(w, "/get_testbox?testbox=vm-2"), 500);
	assert_true(world_body_has(w, "{}"));
	assert_int_equal(world_post(w, "/report_event", "{\"a\":1}"), 200);
	assert_int_equal(world_post(w, "/~lkp/cgi-bin/report_ssh_info", "{}"), 200);
	assert_int_equal(world_get(w, "/~lkp/cgi-bin/report_ssh_port?job_id=lab1.1&ssh_port=1"),
	                 200);
	assert_int_equal(world_get(w, "/~lkp/cgi-bin/lkp-cluster-sync?job_id=lab1.1&state=x"), 200);
	assert_true(world_body_has(w, "abort"));
	assert_int_equal(world_do(w, HTTP_METHOD_GET, agent.machine.address,
	                          "/~lkp/cgi-bin/report-job-step?job_id=lab1.1&job_step=smoke",
	                          NULL, NULL),
	                 200);
	assert_int_equal(world_get(w, "/download?path=/etc/passwd"), 404);
}

#define IN_A_WORLD(test) cmocka_unit_test_setup_teardown(test, world_set_up, world_tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		IN_A_WORLD(compass_submit_has_its_shape),
		IN_A_WORLD(a_compass_client_runs_without_hello),
		IN_A_WORLD(a_compass_client_that_could_not_start_ends_by_rebooting),
		IN_A_WORLD(the_last_report_may_bring_the_word),
		IN_A_WORLD(the_next_job_is_found_for_kexec),
		IN_A_WORLD(the_other_routes_answer),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

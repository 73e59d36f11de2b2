/* SPDX-License-Identifier: MulanPSL-2.0 */
/* Jobs as people hand them in, list them and try them again. */
#include "tests/support/services_job.h"

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
	struct agent agent = prepare_job(w);

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

#define IN_A_WORLD(test) cmocka_unit_test_setup_teardown(test, world_set_up, world_tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		IN_A_WORLD(a_bad_job_is_refused_by_its_field),
		IN_A_WORLD(a_repeated_submit_makes_one_job),
		IN_A_WORLD(jobs_are_listed_in_pages),
		IN_A_WORLD(an_ended_job_is_retried_as_a_new_one),
		IN_A_WORLD(a_job_says_why_it_waits),
		IN_A_WORLD(a_list_says_why_its_jobs_wait),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

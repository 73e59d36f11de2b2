/* SPDX-License-Identifier: MulanPSL-2.0 */
/* Which machine gets which job, and what one without a job is told. */
#include "tests/support/services_job.h"

static void asking_twice_gives_the_same_script(void **state)
{
	struct world *w = *state;
	struct agent agent = prepare_job(w);
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
	struct agent agent = prepare_job(w);

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
	struct agent agent = prepare_job(w);
	char path[256];

	(void)snprintf(path, sizeof(path), "%s/osimage/debian/x86_64/bookworm/current", w->initrd);
	assert_int_equal(unlink(path), 0);
	world_link(w->initrd, "osimage/debian/x86_64/bookworm/current", "/etc/hostname");
	assert_int_equal(world_boot(w, &agent.machine), 0);
	assert_string_equal(state_of(w, &agent), "waiting");
	assert_non_null(strstr(world_text(w, "reason"), "leads out of its directory"));
}

static void a_drained_host_gets_nothing(void **state)
{
	struct world *w = *state;
	struct agent agent = prepare_job(w);

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
		IN_A_WORLD(asking_twice_gives_the_same_script),
		IN_A_WORLD(a_job_is_given_to_one_machine_only),
		IN_A_WORLD(a_group_job_goes_to_one_of_two_machines),
		IN_A_WORLD(a_held_machine_gets_the_next_job),
		IN_A_WORLD(held_long_enough_is_told_to_ask_again),
		IN_A_WORLD(an_unknown_machine_is_registered_and_named),
		IN_A_WORLD(a_missing_image_makes_the_job_wait_and_say_so),
		IN_A_WORLD(a_strict_job_with_a_missing_image_is_refused),
		IN_A_WORLD(a_file_that_leads_out_of_its_root_is_not_served),
		IN_A_WORLD(a_drained_host_gets_nothing),
		IN_A_WORLD(a_host_is_described_over_the_api),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

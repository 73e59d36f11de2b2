/* SPDX-License-Identifier: MulanPSL-2.0 */
/* os_mount: http: a root image over HTTP, and what the initramfs says of such a boot. */
#include "tests/support/services_agent.h"

#define TREE "debian/x86_64/bookworm-2026-01-02-03-04-05/"
#define SUM  "00000000000000000000000000000000000000000000000000000000000000ab"
#define JOB                                                                                        \
	"suite: hello\ntestbox: vm-1\nos: debian\nos_arch: x86_64\nos_version: bookworm\n"         \
	"os_mount: http\nscript: x\n"

static void put_http_files(struct world *w)
{
	world_put_file(w->os, TREE "boot/initramfs.lkp-6.1.img", "initramfs");
	world_link(w->os, TREE "initrd.lkp", "boot/initramfs.lkp-6.1.img");
	world_put_file(w->os, TREE "rootfs.squashfs", "squashfs");
	world_put_file(w->os, TREE "rootfs.squashfs.sha256", SUM "  rootfs.squashfs\n");
	world_put_file(w->initrd, "deps/http/debian/x86_64/bookworm/cci/cci.cgz", "agent");
}

static struct agent prepare(struct world *w)
{
	struct agent agent = { .machine = world_machine(w, 0x11) };

	world_register(w, "vm-1", agent.machine.mac);
	assert_int_equal(world_post(w, "/v1/jobs", JOB), 201);
	(void)snprintf(agent.job, sizeof(agent.job), "%s", world_text(w, "id"));
	return agent;
}

static struct agent prepare_booted(struct world *w)
{
	struct agent agent;

	put_http_files(w);
	agent = prepare(w);
	assert_int_equal(world_boot(w, &agent.machine), 200);
	fetch_job(w, &agent);
	transfer(w, &agent, kernel_path, TRANSFER_DONE);
	return agent;
}

static void a_missing_image_makes_the_job_wait_and_say_so(void **state)
{
	struct world *w = *state;
	struct agent agent = prepare(w);

	assert_int_equal(world_boot(w, &agent.machine), 0);
	assert_string_equal(state_of(w, &agent), "waiting");
	assert_string_equal(world_text(w, "reason"),
	                    "missing file /os/debian/x86_64/bookworm/initrd.lkp");
	world_put_file(w->os, TREE "boot/initramfs.lkp-6.1.img", "initramfs");
	world_link(w->os, TREE "initrd.lkp", "boot/initramfs.lkp-6.1.img");
	assert_int_equal(world_boot(w, &agent.machine), 0);
	assert_string_equal(state_of(w, &agent), "waiting");
	assert_string_equal(world_text(w, "reason"),
	                    "missing file /os/debian/x86_64/bookworm/rootfs.squashfs");
	world_put_file(w->os, TREE "rootfs.squashfs", "squashfs");
	assert_int_equal(world_boot(w, &agent.machine), 200);
	assert_true(world_body_has(w, " cci.root.size=8"));
	assert_false(world_body_has(w, "cci.root.sha256")); /* not known */
}

static void the_script_names_image_sum_and_size(void **state)
{
	struct world *w = *state;
	struct agent agent;

	put_http_files(w);
	agent = prepare(w);
	assert_int_equal(world_boot(w, &agent.machine), 200);
	assert_true(world_body_has(w, "initrd http://10.0.0.1:8000/os/" TREE
	                              "boot/initramfs.lkp-6.1.img || goto retry\n"));
	assert_true(world_body_has(w, "initrd http://10.0.0.1:8800/initrd/deps/http/debian/x86_64/"
	                              "bookworm/cci/cci.cgz || goto retry\n"));
	assert_true(world_body_has(w, " ip=dhcp rootovl ro root=live:http://10.0.0.1:8000/os/" TREE
	                              "rootfs.squashfs console="));
	assert_true(world_body_has(w, "  initrd=initramfs.lkp-6.1.img  initrd=modules-6.1.cgz"
	                              "  initrd=job.cgz  initrd=cci.cgz "));
	assert_true(world_body_has(w, " cci.root.sha256=" SUM " cci.root.size=8"));
	assert_false(world_body_has(w, "rdinit="));
}

static const json_t *event_of(struct world *w, const struct agent *agent, const char *kind)
{
	char target[128];
	const json_t *event;
	size_t i;

	(void)snprintf(target, sizeof(target), "/v1/jobs/%s/events", agent->job);
	assert_int_equal(world_get(w, target), 200);
	json_array_foreach(world_member(w, "events"), i, event)
	{
		if (strcmp(json_string_value(json_object_get(event, "kind")), kind) == 0)
			return event;
	}
	fail_msg("no event %s", kind);
	return NULL;
}

static json_int_t time_of(struct world *w, const struct agent *agent, const char *kind)
{
	return json_integer_value(json_object_get(event_of(w, agent, kind), "mono_us"));
}

static void stages_are_events_of_the_time_they_were_reached(void **state)
{
	struct world *w = *state;
	struct agent agent = prepare_booted(w);
	json_int_t end;

	world_wait(w, 10 * WORLD_SEC);
	assert_int_equal(say(w, &agent, "report",
	                     "stage=start&uptime_ms=2650&stage=root&uptime_ms=5010&stage=overlay&"
	                     "uptime_ms=5015&stage=switch&uptime_ms=5200"),
	                 200);
	assert_string_equal(attempt_state(w, &agent, 0), "booting");
	end = time_of(w, &agent, "initramfs.switch");
	assert_int_equal(time_of(w, &agent, "initramfs.overlay"), end - 185000);
	assert_int_equal(time_of(w, &agent, "initramfs.root"), end - 190000);
	assert_int_equal(time_of(w, &agent, "initramfs.start"), end - 2550000);
	assert_int_equal(world_get(w, "/v1/jobs/lab1.1/timeline"), 200);
	assert_true(world_body_has(w, "\"initramfs\""));
	assert_true(world_body_has(w, "\"overlay\""));
}

#define FAILURE                                                                                    \
	"stage=initramfs&step=fetch&cause=status&detail=404+of+rootfs.squashfs&uptime_ms=5100&"    \
	"journal=one%0atwo%0a"

static void assert_file(const char *root, const char *result_root, const char *expected)
{
	char path[512], text[64] = "";
	FILE *f;

	(void)snprintf(path, sizeof(path), "%s%s/initramfs.log", root,
	               result_root + strlen("/result"));
	f = fopen(path, "r");
	assert_non_null(f);
	assert_true(fread(text, 1, sizeof(text) - 1, f) > 0);
	assert_int_equal(fclose(f), 0);
	assert_string_equal(text, expected);
}

static void a_failure_ends_the_attempt_with_its_cause(void **state)
{
	struct world *w = *state;
	struct agent agent = prepare_booted(w);
	const json_t *fields;

	assert_int_equal(say(w, &agent, "report", FAILURE), 200);
	assert_int_equal(say(w, &agent, "report", FAILURE), 200); /* its answer was lost */
	assert_string_equal(attempt_state(w, &agent, 0), "infra");
	assert_string_equal(world_text(w, "attempts.0.cause"), "initramfs.fetch.status");
	assert_string_equal(world_text(w, "state"), "queued"); /* to be tried again */
	assert_file(w->results, world_text(w, "result_root"), "one\ntwo\n");
	fields = json_object_get(event_of(w, &agent, "initramfs.start"), "fields");
	assert_string_equal(json_string_value(json_object_get(fields, "step")), "fetch");
	assert_string_equal(json_string_value(json_object_get(fields, "cause")), "status");
	assert_string_equal(json_string_value(json_object_get(fields, "detail")),
	                    "404 of rootfs.squashfs");
	assert_string_equal(json_string_value(json_object_get(fields, "log")), "initramfs.log");
	assert_int_equal(world_get(w, "/v1/jobs/lab1.1/results/"), 200);
	assert_string_equal(world_text(w, "files.0.name"), "initramfs.log");
	assert_int_equal(json_integer_value(world_member(w, "files.0.size")), 8);
	assert_int_equal(say(w, &agent, "report", "step=layers&cause=mount"), 410);
	assert_int_equal(say(w, &agent, "report", "stage=start&uptime_ms=1"), 410);
	assert_int_equal(say(w, &agent, "hello", HELLO), 410);
}

static void archives_that_did_not_arrive_are_named(void **state)
{
	struct world *w = *state;
	struct agent agent = prepare_booted(w);
	const json_t *fields;

	assert_int_equal(say(w, &agent, "report",
	                     "stage=start&uptime_ms=2&stage=switch&uptime_ms=3&"
	                     "initrds=here+job.cgz%0amissing+modules-6.1.cgz%0aunknown+x%0a"),
	                 200);
	fields = json_object_get(event_of(w, &agent, "initramfs.start"), "fields");
	assert_string_equal(json_string_value(json_object_get(fields, "missing")),
	                    "modules-6.1.cgz");
	assert_int_equal(say(w, &agent, "report", FAILURE "&initrds=missing+a%0amissing+b%0a"),
	                 200);
	assert_true(world_get(w, "/v1/jobs/lab1.1/events") == 200 && world_body_has(w, "\"a b\""));
}

static void the_panic_of_an_earlier_kernel_is_kept(void **state)
{
	struct world *w = *state;
	struct agent agent = prepare_booted(w);
	const json_t *fields;

	assert_int_equal(say(w, &agent, "report",
	                     "stage=start&uptime_ms=2&stage=switch&uptime_ms=3&"
	                     "panic=Kernel+panic+%1b%0a&journal=x"),
	                 200);
	fields = json_object_get(event_of(w, &agent, "initramfs.start"), "fields");
	assert_string_equal(json_string_value(json_object_get(fields, "panic")), "panic.log");
	fields = json_object_get(event_of(w, &agent, "initramfs.switch"), "fields");
	assert_null(json_object_get(fields, "panic"));
	assert_int_equal(world_get(w, "/v1/jobs/lab1.1/results/"), 200);
	assert_string_equal(world_text(w, "files.0.name"), "panic.log");
	assert_int_equal(json_array_size(world_member(w, "files")), 1); /* a good boot has no log */
	assert_string_equal(attempt_state(w, &agent, 0), "booting");
}

static void reports_of_others_and_of_nothing_are_refused(void **state)
{
	struct world *w = *state;
	struct agent agent = prepare_booted(w), other = agent;

	other.token[0] = other.token[0] == '0' ? '1' : '0';
	assert_int_equal(say(w, &other, "report", FAILURE), 401);
	assert_int_equal(say(w, &agent, "report", "x=y"), 400);
	assert_string_equal(attempt_state(w, &agent, 0), "booting");
}

static void a_boot_without_an_attempt_reports_by_its_card(void **state)
{
	struct world *w = *state;
	struct agent agent = prepare_booted(w);
	char target[128] = "/v1/boots/52-54-00-12-34-11/report";

	assert_int_equal(world_do(w, HTTP_METHOD_POST, 0x0a000099, target, FAILURE, NULL), 403);
	assert_int_equal(world_do(w, HTTP_METHOD_POST, agent.machine.address, target, "x=1", NULL),
	                 400);
	assert_int_equal(world_do(w, HTTP_METHOD_POST, agent.machine.address, target,
	                          "step=x&cause=y", NULL),
	                 200);
	assert_string_equal(attempt_state(w, &agent, 0), "infra"); /* it was this boot's */
	assert_string_equal(world_text(w, "attempts.0.cause"), "initramfs.x.y");
	assert_int_equal(world_get(w, target), 404); /* nothing came with it */
	assert_int_equal(
		world_do(w, HTTP_METHOD_POST, agent.machine.address, target, FAILURE, NULL), 200);
	assert_int_equal(world_get(w, "/v1/boots/52:54:00:12:34:11/report"), 200);
	assert_true(slice_equal(buffer_slice(&w->answer.body), SLICE_LITERAL("one\ntwo\n")));
	assert_int_equal(world_do(w, HTTP_METHOD_POST, agent.machine.address, target,
	                          "stage=start&uptime_ms=1&panic=Oops", NULL),
	                 200);
	assert_int_equal(world_get(w, target), 200);
	assert_true(slice_equal(buffer_slice(&w->answer.body),
	                        SLICE_LITERAL("one\ntwo\n--- of an earlier kernel ---\nOops")));
	assert_int_equal(world_get(w, "/v1/boots/52-54-00-12-34-99/report"), 404);
	assert_int_equal(world_get(w, "/v1/boots/..%2f..%2fccid/report"), 400);
	assert_int_equal(world_get(w, "/v1/events"), 200);
	assert_true(world_body_has(w, "\"log\": \"/v1/boots/52-54-00-12-34-11/report\"") ||
	            world_body_has(w, "\"log\":\"/v1/boots/52-54-00-12-34-11/report\""));
}

#define IN_A_WORLD(f) cmocka_unit_test_setup_teardown(f, world_set_up, world_tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		IN_A_WORLD(a_missing_image_makes_the_job_wait_and_say_so),
		IN_A_WORLD(the_script_names_image_sum_and_size),
		IN_A_WORLD(stages_are_events_of_the_time_they_were_reached),
		IN_A_WORLD(a_failure_ends_the_attempt_with_its_cause),
		IN_A_WORLD(archives_that_did_not_arrive_are_named),
		IN_A_WORLD(the_panic_of_an_earlier_kernel_is_kept),
		IN_A_WORLD(reports_of_others_and_of_nothing_are_refused),
		IN_A_WORLD(a_boot_without_an_attempt_reports_by_its_card),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

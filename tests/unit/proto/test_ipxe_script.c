/* SPDX-License-Identifier: MulanPSL-2.0 */
#include "tests/support/test.h"

#include "lib/base/macro.h"
#include "server/proto/ipxe_script.h"

static struct ipxe_job a_job(void)
{
	static const struct slice initrds[] = { SLICE_LITERAL("http://10.0.0.1:8800/a.cgz") };

	return (struct ipxe_job){
		.job = SLICE_LITERAL("lab1.1"),
		.result_root = SLICE_LITERAL("/result/x/lab1.1"),
		.initrds = initrds,
		.n_initrds = 1,
		.kernel = SLICE_LITERAL("http://10.0.0.1:8000/vmlinuz"),
		.cmdline = SLICE_LITERAL("user=lkp ro  initrd=a.cgz"),
		.again = SLICE_LITERAL("http://10.0.0.1:3000/boot.ipxe/mac/x?b=5"),
		.pause_sec = 4,
	};
}

static int build(const struct ipxe_job *job)
{
	char text[IPXE_SCRIPT_MAX];
	struct bytes out = BYTES_ON(text);

	return ipxe_script_job(job, &out);
}

static bool contains(struct slice text, const char *what)
{
	return memmem(text.data, text.len, what, strlen(what)) != NULL;
}

static void every_fetch_has_a_way_back(void **state)
{
	char text[IPXE_SCRIPT_MAX];
	struct bytes out = BYTES_ON(text);
	const struct ipxe_job job = a_job();
	struct slice rest;

	assert_int_equal(ipxe_script_job(&job, &out), 0);
	rest = bytes_slice(&out);
	assert_true(slice_has_prefix(rest, SLICE_LITERAL("#!ipxe\n")));
	assert_true(contains(rest, "\n:retry\nimgfree\n"));
	while (rest.len > 0) {
		struct slice line = slice_cut(&rest, '\n');

		if (slice_has_prefix(line, SLICE_LITERAL("initrd ")) ||
		    slice_has_prefix(line, SLICE_LITERAL("kernel ")) ||
		    slice_has_prefix(line, SLICE_LITERAL("boot")) ||
		    slice_has_prefix(line, SLICE_LITERAL("chain ")))
			assert_true(slice_has_suffix(line, SLICE_LITERAL(" || goto retry")));
	}
}

static void values_that_ipxe_would_read_otherwise_are_refused(void **state)
{
	static const char *const bad[] = { "a b", "${net0/mac}", "a\nshell", "||", "#x",
		                           "",    "a\x80",       "a'b" };

	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		struct ipxe_job job = a_job();

		job.job = slice_from_text(bad[i]);
		assert_int_equal(build(&job), IPXE_SCRIPT_BAD);
		job = a_job();
		job.initrds = &(struct slice){ (const uint8_t *)bad[i], strlen(bad[i]) };
		assert_int_equal(build(&job), IPXE_SCRIPT_BAD);
		assert_false(ipxe_word_is_good(slice_from_text(bad[i])));
	}
}

static void a_command_line_cannot_break_out(void **state)
{
	static const char *const bad[] = { "ro || shell", "ro && reboot", "x ; y",
		                           "a\nshell",    "a=${ip}",      "a #b" };
	struct ipxe_job job = a_job();

	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		job.cmdline = slice_from_text(bad[i]);
		assert_int_equal(build(&job), IPXE_SCRIPT_BAD);
	}
	job.cmdline = SLICE_LITERAL("dyndbg=\"file x.c +p\" a=|| b=#1");
	assert_int_equal(build(&job), 0);
}

static void a_waiting_script_says_so_and_comes_back(void **state)
{
	char text[1024];
	struct bytes out = BYTES_ON(text);
	struct ipxe_wait wait = { .host = SLICE_LITERAL("sched-lab1-52-54-00-12-34-56"),
		                  .note = SLICE_LITERAL("unknown machine 52-54-00-12-34-56"),
		                  .again = SLICE_LITERAL("http://10.0.0.1:3000/boot.ipxe/mac/m"),
		                  .pause_sec = 3 };

	assert_int_equal(ipxe_script_wait(&wait, &out), 0);
	assert_true(contains(bytes_slice(&out), "No job now"));
	assert_true(contains(bytes_slice(&out), "unknown machine 52-54"));
	assert_true(contains(bytes_slice(&out), "sleep 3\n"));
	wait.note = SLICE_LITERAL("x ${y}");
	assert_int_equal(ipxe_script_wait(&wait, &out), IPXE_SCRIPT_BAD);
}

static void a_session_is_carried_when_there_is_one(void **state)
{
	char text[1024];
	struct bytes out = BYTES_ON(text);

	assert_int_equal(ipxe_script_first(SLICE_LITERAL("10.0.0.1"), 3000, 42, &out), 0);
	assert_true(contains(bytes_slice(&out), "/boot.ipxe/mac/${mac:hexhyp}?b=42 || "));
	out = (struct bytes)BYTES_ON(text);
	assert_int_equal(ipxe_script_first(SLICE_LITERAL("10.0.0.1"), 3000, 0, &out), 0);
	assert_false(contains(bytes_slice(&out), "?b="));
	out.cap = 20;
	out.len = 0;
	assert_int_equal(ipxe_script_first(SLICE_LITERAL("10.0.0.1"), 3000, 0, &out),
	                 IPXE_SCRIPT_TOO_LONG);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_fetch_has_a_way_back),
		cmocka_unit_test(values_that_ipxe_would_read_otherwise_are_refused),
		cmocka_unit_test(a_command_line_cannot_break_out),
		cmocka_unit_test(a_waiting_script_says_so_and_comes_back),
		cmocka_unit_test(a_session_is_carried_when_there_is_one),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

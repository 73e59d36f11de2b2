/* SPDX-License-Identifier: MulanPSL-2.0 */
#include "tests/support/test.h"

#include "lib/base/macro.h"
#include "server/proto/grub_script.h"

static struct grub_job a_job(void)
{
	static const struct slice initrds[] = { SLICE_LITERAL("http://10.0.0.1:8800/a.cgz"),
		                                SLICE_LITERAL("http://10.0.0.1:8800/b c?d") };

	return (struct grub_job){
		.job = SLICE_LITERAL("lab1.1"),
		.result_root = SLICE_LITERAL("/result/x/lab1.1"),
		.initrds = initrds,
		.n_initrds = 1,
		.kernel = SLICE_LITERAL("http://10.0.0.1:8000/vmlinuz"),
		.cmdline = SLICE_LITERAL("user=lkp ro  initrd=a.cgz"),
		.pause_sec = 4,
	};
}

static int build(const struct grub_job *job, char text[GRUB_SCRIPT_MAX])
{
	struct bytes out = { .data = (uint8_t *)text, .cap = GRUB_SCRIPT_MAX - 1 };
	int r = grub_script_job(job, &out);

	text[out.len] = '\0';
	return r;
}

static void files_are_named_as_grub_names_them(void **state)
{
	struct grub_job job = a_job();
	char text[GRUB_SCRIPT_MAX];

	assert_int_equal(build(&job, text), 0);
	assert_non_null(strstr(text,
	                       "if linux (http,10.0.0.1:8000)/vmlinuz user=lkp ro initrd=a.cgz"
	                       "; then\n\tif initrd (http,10.0.0.1:8800)/a.cgz; then\n"
	                       "\t\tboot\n\tfi\nfi\n"));
	assert_non_null(strstr(text, "\nsleep 4\n"));
	job.n_initrds = 0;
	assert_int_equal(build(&job, text), 0);
	assert_non_null(strstr(text, "\tif true; then\n\t\tboot\n"));
}

static void what_grub_would_read_stands_in_quotes(void **state)
{
	struct grub_job job = a_job();
	char text[GRUB_SCRIPT_MAX];

	job.kernel = SLICE_LITERAL("http://h/a?b&c*");
	job.cmdline = SLICE_LITERAL("x=$y ; a=\"b c\" \"d=e f\" {z} | #q");
	assert_int_equal(build(&job, text), 0);
	assert_non_null(strstr(text, "if linux (http,h)'/a?b&c*' 'x=$y' ';' 'a=b c' 'd=e f' '{z}'"
	                             " '|' '#q'; then\n"));
}

static void values_that_could_end_the_quotes_are_refused(void **state)
{
	static const char *const bad[] = { "a'b", "a\"b", "a\\b", "a\nb", "a\x80", "" };
	char text[GRUB_SCRIPT_MAX];

	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		struct grub_job job = a_job();

		job.job = slice_from_text(bad[i]);
		assert_int_equal(build(&job, text), GRUB_SCRIPT_BAD);
		job = a_job();
		job.result_root = slice_from_text(bad[i]);
		assert_int_equal(build(&job, text), GRUB_SCRIPT_BAD);
		if (bad[i][0] == '\0' || bad[i][1] == '\n')
			continue; /* no word; two words */
		job = a_job();
		job.cmdline = slice_from_text(bad[i]);
		assert_int_equal(build(&job, text), GRUB_SCRIPT_BAD);
	}
}

static void urls_that_grub_cannot_fetch_are_refused(void **state)
{
	static const char *const bad[] = { "https://h/a",
		                           "http://h",
		                           "http:///a",
		                           "/a",
		                           "http://u@h/a",
		                           "http://a,b/c",
		                           "http://a)/b",
		                           "http://h/a b",
		                           "http://h/'",
		                           "ftp://h/a",
		                           "",
		                           "http://${x}/a" };
	char text[GRUB_SCRIPT_MAX];

	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		struct grub_job job = a_job();
		const struct slice url = slice_from_text(bad[i]);

		job.kernel = url;
		assert_int_equal(build(&job, text), GRUB_SCRIPT_BAD);
		job = a_job();
		job.initrds = &url;
		assert_int_equal(build(&job, text), GRUB_SCRIPT_BAD);
	}
}

static void the_command_line_grows_by_the_name_of_the_kernel(void **state)
{
	/* BOOT_IMAGE=(http,10.0.0.1:8000)/vmlinuz and a space */
	assert_int_equal(grub_script_cmdline_extra(SLICE_LITERAL("http://10.0.0.1:8000/vmlinuz")),
	                 strlen("BOOT_IMAGE=(http,10.0.0.1:8000)/vmlinuz "));
}

static void the_first_script_is_one_loop(void **state)
{
	char text[1024] = "";
	struct bytes out = { .data = (uint8_t *)text, .cap = sizeof(text) - 1 };

	assert_int_equal(grub_script_first(SLICE_LITERAL("10.0.0.1"), 3000, 42, &out), 0);
	assert_non_null(strstr(text, "set cci=(http,10.0.0.1:3000)\n"));
	assert_non_null(
		strstr(text, "if source \"${cci}/boot.grub/mac/${net_default_mac}?b=42\"; then\n"));
	assert_non_null(strstr(text, "while true; do\n"));
	assert_null(strstr(text, "configfile"));
	memset(text, 0, sizeof(text));
	out.len = 0;
	assert_int_equal(grub_script_first(SLICE_LITERAL("10.0.0.1"), 3000, 0, &out), 0);
	assert_null(strstr(text, "?b="));
	assert_int_equal(grub_script_first(SLICE_LITERAL("a b"), 3000, 0, &out), GRUB_SCRIPT_BAD);
	out.len = 0;
	out.cap = 20;
	assert_int_equal(grub_script_first(SLICE_LITERAL("10.0.0.1"), 3000, 0, &out),
	                 GRUB_SCRIPT_TOO_LONG);
}

static void a_waiting_script_comes_to_its_end(void **state)
{
	struct grub_wait wait = { .host = SLICE_LITERAL("arm-1"),
		                  .note = SLICE_LITERAL("register it as a $host"),
		                  .pause_sec = 3 };
	char text[1024] = "";
	struct bytes out = { .data = (uint8_t *)text, .cap = sizeof(text) - 1 };

	assert_int_equal(grub_script_wait(&wait, &out), 0);
	assert_string_equal(text, "#!grub\n\necho 'No job now for arm-1'\n"
	                          "echo 'register it as a $host'\nsleep 3\n");
	wait.note = SLICE_LITERAL("it's");
	assert_int_equal(grub_script_wait(&wait, &out), GRUB_SCRIPT_BAD);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(files_are_named_as_grub_names_them),
		cmocka_unit_test(what_grub_would_read_stands_in_quotes),
		cmocka_unit_test(values_that_could_end_the_quotes_are_refused),
		cmocka_unit_test(urls_that_grub_cannot_fetch_are_refused),
		cmocka_unit_test(the_command_line_grows_by_the_name_of_the_kernel),
		cmocka_unit_test(the_first_script_is_one_loop),
		cmocka_unit_test(a_waiting_script_comes_to_its_end),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

/* SPDX-License-Identifier: MulanPSL-2.0 */
#include "tests/support/test.h"

#include "server/core/boot_report.h"

static void a_good_boot_is_a_list_of_stages(void **state)
{
	struct boot_report report;

	assert_int_equal(boot_report_parse(SLICE_LITERAL("stage=start&uptime_ms=2650&stage=root&"
	                                                 "uptime_ms=5010&stage=overlay&"
	                                                 "uptime_ms=5015&stage=switch&"
	                                                 "uptime_ms=5200"),
	                                   &report),
	                 0);
	assert_false(report.has_failed);
	assert_int_equal(report.n_stages, 4);
	assert_int_equal(report.stages[0].kind, EVENT_INITRAMFS_START);
	assert_int_equal(report.stages[2].kind, EVENT_INITRAMFS_OVERLAY);
	assert_int_equal(boot_report_ago(&report, &report.stages[0]), 2550 * USEC_PER_MSEC);
	assert_int_equal(boot_report_ago(&report, &report.stages[3]), 0);
}

static void a_stage_may_have_a_detail(void **state)
{
	struct boot_report report;

	assert_int_equal(
		boot_report_parse(SLICE_LITERAL("stage=wipe&uptime_ms=1&detail=%2Fdev%2Fsda"),
	                          &report),
		0);
	assert_int_equal(report.stages[0].kind, EVENT_INITRAMFS_WIPE);
	assert_string_equal(report.detail, "/dev/sda");
	assert_false(report.has_failed);
}

static void a_failure_has_stage_step_and_cause(void **state)
{
	struct boot_report report;
	char cause[BOOT_REPORT_CAUSE_MAX];

	assert_int_equal(boot_report_parse(SLICE_LITERAL("stage=initramfs&step=fetch&cause=status&"
	                                                 "detail=404+of+http%3a%2f%2fh%0a&"
	                                                 "uptime_ms=70&journal=a%0Ab"),
	                                   &report),
	                 0);
	assert_true(report.has_failed);
	assert_int_equal(report.n_stages, 0);
	assert_string_equal(boot_report_cause(&report, cause), "initramfs.fetch.status");
	assert_string_equal(report.detail, "404 of http://h\\x0a");
	assert_int_equal(report.uptime, 70 * USEC_PER_MSEC);
	assert_true(slice_equal(report.journal, SLICE_LITERAL("a%0Ab")));
}

static void words_that_are_too_long_are_cut(void **state)
{
	struct boot_report report;
	char body[2048], cause[BOOT_REPORT_CAUSE_MAX];

	memset(body, 'x', sizeof(body));
	memcpy(body, "cause=", 6);
	assert_int_equal(boot_report_parse(slice_make(body, sizeof(body)), &report), 0);
	assert_int_equal(strlen(report.cause), BOOT_REPORT_WORD_MAX - 1);
	assert_int_equal(strncmp(boot_report_cause(&report, cause), "initramfs.unknown.xxx", 21),
	                 0);
	memcpy(body,
	       "stage=start&stage=start&stage=start&stage=start&stage=start&stage=start&"
	       "stage=start&stage=start&stage=start&detail=",
	       115);
	assert_int_equal(boot_report_parse(slice_make(body, sizeof(body)), &report), 0);
	assert_int_equal(report.n_stages, BOOT_REPORT_STAGES_MAX);
	assert_int_equal(strlen(report.detail), BOOT_REPORT_DETAIL_MAX - 1);
}

static void a_clock_that_jumped_moves_no_stage_far(void **state)
{
	struct boot_report report;

	assert_int_equal(boot_report_parse(SLICE_LITERAL("stage=start&uptime_ms=1&stage=switch&"
	                                                 "uptime_ms=31000000000"),
	                                   &report),
	                 0);
	assert_int_equal(boot_report_ago(&report, &report.stages[0]), 60 * USEC_PER_MINUTE);
	assert_int_equal(boot_report_parse(SLICE_LITERAL("stage=start&uptime_ms=-1"), &report), 0);
	assert_int_equal(boot_report_ago(&report, &report.stages[0]), 0);
}

static void what_says_nothing_is_refused(void **state)
{
	struct boot_report report;

	assert_int_equal(boot_report_parse(SLICE_NULL, &report), BOOT_REPORT_BAD);
	assert_int_equal(boot_report_parse(SLICE_LITERAL("stage=moon&cause=&x=1"), &report),
	                 BOOT_REPORT_BAD);
}

static void archives_are_accounted_for(void **state)
{
	struct boot_report report;
	char body[4096] = "cause=x&initrds=";

	assert_int_equal(boot_report_parse(SLICE_LITERAL("cause=x&initrds=here+a%0amissing+b%1b%0a"
	                                                 "unknown+c%0ahere+d%0amissing+e%0amoon+f"),
	                                   &report),
	                 0);
	assert_int_equal(report.n_here, 2);
	assert_int_equal(report.n_unknown, 1);
	assert_string_equal(report.missing, "b\\x1b e");
	for (unsigned i = 0; i < 100; i++)
		strcat(body, "missing+abcdefg%0a");
	assert_int_equal(boot_report_parse(slice_from_text(body), &report), 0);
	assert_true(strlen(report.missing) < BOOT_REPORT_MISSING_MAX);
}

static void assert_log(struct slice journal, const char *expected)
{
	struct buffer out = BUFFER_NULL;

	boot_report_log(journal, &out);
	buffer_append(&out, "", 1);
	assert_int_equal(buffer_error(&out), 0);
	assert_string_equal((char *)out.data, expected);
	buffer_deinit(&out);
}

static void a_log_can_be_shown_on_a_terminal(void **state)
{
	assert_log(SLICE_LITERAL("a+b%0A%09c%0A"), "a b\n\tc\n");
	assert_log(SLICE_LITERAL("%1b[2J%0d%7F%00%c3%a9%9b"),
	           "\\x1b[2J\\x0d\\x7f\\x00\\xc3\\xa9\\x9b");
	assert_log(SLICE_LITERAL("no end, % and %zz"), "no end, % and %zz");
	assert_log(SLICE_NULL, "");
}

/* n times `unit` as a journal; the log must be its end, in whole lines. */
static void assert_end_is_kept(const char *unit, const char *decoded, size_t n)
{
	size_t unit_len = strlen(unit), line_len = strlen(decoded);
	struct buffer body = BUFFER_NULL, out = BUFFER_NULL;

	for (size_t i = 0; i < n; i++)
		buffer_append(&body, unit, unit_len);
	boot_report_log(buffer_slice(&body), &out);
	assert_int_equal(buffer_error(&out), 0);
	assert_true(out.len <= BOOT_REPORT_LOG_MAX && out.len > BOOT_REPORT_LOG_MAX - 2 * line_len);
	assert_int_equal(out.len % line_len, 0);
	assert_memory_equal(out.data, decoded, line_len);
	buffer_deinit(&body);
	buffer_deinit(&out);
}

static void of_a_long_log_the_end_is_kept(void **state)
{
	assert_end_is_kept("one%20line%0A", "one line\n", 10000);
	assert_end_is_kept("line%0A", "line\n", 100000);
	assert_end_is_kept("%61%62%0A", "ab\n", 200000);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_good_boot_is_a_list_of_stages),
		cmocka_unit_test(a_stage_may_have_a_detail),
		cmocka_unit_test(a_failure_has_stage_step_and_cause),
		cmocka_unit_test(words_that_are_too_long_are_cut),
		cmocka_unit_test(a_clock_that_jumped_moves_no_stage_far),
		cmocka_unit_test(what_says_nothing_is_refused),
		cmocka_unit_test(archives_are_accounted_for),
		cmocka_unit_test(a_log_can_be_shown_on_a_terminal),
		cmocka_unit_test(of_a_long_log_the_end_is_kept),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

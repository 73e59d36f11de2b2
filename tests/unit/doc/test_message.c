/* SPDX-License-Identifier: MulanPSL-2.0 */
#include "tests/support/test.h"

#include "lib/base/macro.h"
#include "lib/doc/message.h"

static void hello_goes_both_ways(void **state)
{
	const struct message_hello m = { "b-1", "0.1.0", "6.1 \"x\"", 1, 12345 };
	struct message_hello again;
	struct buffer out = BUFFER_NULL;

	message_hello_build(&out, &m);
	assert_int_equal(message_hello_parse(buffer_slice(&out), &again), 0);
	assert_string_equal(again.boot_id, "b-1");
	assert_string_equal(again.kernel, "6.1 \"x\"");
	assert_int_equal(again.api, 1);
	assert_int_equal(again.uptime_ms, 12345);
	buffer_deinit(&out);
	assert_int_equal(message_hello_parse(SLICE_LITERAL("{}"), &again), MESSAGE_BAD);
	assert_int_equal(message_hello_parse(SLICE_LITERAL("[]"), &again), MESSAGE_BAD);
	assert_int_equal(message_hello_parse(SLICE_LITERAL("{\"boot_id\":3}"), &again),
	                 MESSAGE_BAD);
}

static void answer_goes_both_ways(void **state)
{
	const struct message_answer m = {
		.job = "lab1.3",
		.result_root = "/result/a/lab1.3",
		.has_deadline = true,
		.deadline_sec = 0,
		.lease_sec = 600,
		.log_interval_ms = 1000,
		.cancel = true,
		.next = 1,
	};
	struct message_answer again;
	struct buffer out = BUFFER_NULL;

	message_answer_build(&out, &m);
	assert_int_equal(message_answer_parse(buffer_slice(&out), &again), 0);
	assert_string_equal(again.result_root, m.result_root);
	assert_true(again.has_deadline);
	assert_int_equal(again.deadline_sec, 0);
	assert_int_equal(again.lease_sec, 600);
	assert_true(again.cancel);
	assert_int_equal(again.next, 1);
	buffer_deinit(&out);
}

static void answer_may_say_nothing_but_not_nonsense(void **state)
{
	struct message_answer m;

	assert_int_equal(message_answer_parse(SLICE_NULL, &m), 0);
	assert_int_equal(m.next, -1);
	assert_false(m.has_deadline);
	assert_int_equal(message_answer_parse(SLICE_LITERAL("{\"next\":\"dance\",\"x\":[]}"), &m),
	                 0);
	assert_int_equal(m.next, -1);
	assert_int_equal(message_answer_parse(SLICE_LITERAL("<html>"), &m), MESSAGE_BAD);
	assert_int_equal(message_answer_parse(SLICE_LITERAL("{\"deadline\":-1}"), &m), MESSAGE_BAD);
	assert_int_equal(message_answer_parse(SLICE_LITERAL("{\"lease\":\"x\"}"), &m), MESSAGE_BAD);
}

static void stage_and_heartbeat_go_both_ways(void **state)
{
	const struct message_stage_report m = { MESSAGE_STAGE_UPLOADING, 77 };
	struct message_stage_report again;
	struct buffer out = BUFFER_NULL;
	uint64_t uptime;

	message_stage_build(&out, &m);
	assert_slice_equal(buffer_slice(&out), "{\"stage\":\"uploading\",\"uptime_ms\":77}");
	assert_int_equal(message_stage_parse(buffer_slice(&out), &again), 0);
	assert_int_equal(again.stage, MESSAGE_STAGE_UPLOADING);
	assert_int_equal(message_stage_parse(SLICE_LITERAL("{\"stage\":\"x\"}"), &again),
	                 MESSAGE_BAD);
	buffer_deinit(&out);
	message_heartbeat_build(&out, 5);
	assert_int_equal(message_heartbeat_parse(buffer_slice(&out), &uptime), 0);
	assert_int_equal(uptime, 5);
	buffer_deinit(&out);
}

static void finish_goes_both_ways(void **state)
{
	struct message_file files[2] = {
		{ "output", 5, "" },
		{ "\xc3\xa9-b", UINT64_C(50) << 20, "" },
	};
	struct message_finish m = { MESSAGE_VERDICT_FAIL, "crash", -1, 9, files, 2 }, again;
	struct buffer out = BUFFER_NULL;

	memset(files[0].sha256, 'a', 64);
	memset(files[1].sha256, '0', 64);
	message_finish_build(&out, &m);
	assert_int_equal(message_finish_parse(buffer_slice(&out), &again), 0);
	assert_int_equal(again.verdict, MESSAGE_VERDICT_FAIL);
	assert_string_equal(again.cause, "crash");
	assert_int_equal(again.exit_code, -1);
	assert_int_equal(again.cut, 9);
	assert_int_equal(again.n_manifest, 2);
	assert_string_equal(again.manifest[1].name, files[1].name);
	assert_int_equal(again.manifest[1].size, 50 << 20);
	message_finish_deinit(&again);
	buffer_deinit(&out);
}

static void finish_with_a_wrong_manifest_is_refused(void **state)
{
	static const char *const bad[] = {
		"{}",
		"{\"verdict\":\"good\"}",
		"{\"verdict\":\"pass\",\"exit_code\":256}",
		"{\"verdict\":\"pass\",\"manifest\":{}}",
		"{\"verdict\":\"pass\",\"manifest\":[3]}",
		"{\"verdict\":\"pass\",\"manifest\":[{\"name\":\"a\",\"size\":1,\"sha256\":\"aa\"}]}",
		"{\"verdict\":\"pass\",\"manifest\":[{\"name\":\"\",\"size\":1,\"sha256\":"
		"\"0000000000000000000000000000000000000000000000000000000000000000\"}]}",
		"{\"verdict\":\"pass\",\"manifest\":[{\"name\":\"a\",\"size\":1,\"sha256\":"
		"\"A000000000000000000000000000000000000000000000000000000000000000\"}]}",
	};

	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		struct message_finish m;

		assert_int_equal(message_finish_parse(slice_from_text(bad[i]), &m), MESSAGE_BAD);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(hello_goes_both_ways),
		cmocka_unit_test(answer_goes_both_ways),
		cmocka_unit_test(answer_may_say_nothing_but_not_nonsense),
		cmocka_unit_test(stage_and_heartbeat_go_both_ways),
		cmocka_unit_test(finish_goes_both_ways),
		cmocka_unit_test(finish_with_a_wrong_manifest_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

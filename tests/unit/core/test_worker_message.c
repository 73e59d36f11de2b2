/* SPDX-License-Identifier: MulanPSL-2.0 */
#include "tests/support/test.h"

#include "lib/base/macro.h"
#include "server/core/worker_message.h"

static uint8_t wire[WORKER_MESSAGE_MAX];

#define TEXT(s) SLICE_LITERAL(s)

static const struct worker_message messages[] = {
	{ .kind = WORKER_CONFIG,
	  .config = { .roots = { { TEXT("/os"), TEXT("/srv/os") },
	                         { TEXT("/initrd"), TEXT("/srv/initrd") } },
	              .n_roots = 2,
	              .results = TEXT("/srv/result"),
	              .api_port = 3000,
	              .os_port = 8000,
	              .files_port = 8800,
	              .upload_port = 3080,
	              .max_sockets = 4096,
	              .is_debug = true } },
	{ .kind = WORKER_LISTEN, .listen = { .is_upload = true } },
	{ .kind = WORKER_GRANT,
	  .grant = { .upload = 7,
	             .status = 403,
	             .retry_after_sec = 1,
	             .reason = TEXT("no"),
	             .attempt = INT64_MAX,
	             .max = -1,
	             .name = TEXT("output"),
	             .is_unrecorded = true } },
	{ .kind = WORKER_COMMITTED, .result = { .id = UINT64_MAX, .result = -28 } },
	{ .kind = WORKER_CANCEL, .upload = 9 },
	{ .kind = WORKER_LOAD, .load = { .id = 3, .size = 1 } },
	{ .kind = WORKER_REMOVE, .remove = { .id = 4, .name = TEXT(".removing-1") } },
	{ .kind = WORKER_READY },
	{ .kind = WORKER_ASK,
	  .ask = { .upload = 7,
	           .method = HTTP_METHOD_MKCOL,
	           .path = TEXT("/result/a"),
	           .cookie = TEXT("JOBID=1"),
	           .authorization = TEXT("Bearer x"),
	           .peer = 0x0a000001,
	           .length = -1 } },
	{ .kind = WORKER_PROGRESS, .progress = { .attempt = 1, .size = 2, .name = TEXT("n") } },
	{ .kind = WORKER_COMMIT,
	  .commit = { .upload = 1,
	              .attempt = 2,
	              .size = 3,
	              .name = TEXT("n"),
	              .sha256 = TEXT("00") } },
	{ .kind = WORKER_RELEASE, .upload = 0 },
	{ .kind = WORKER_TRANSFER,
	  .transfer = { .is_done = true,
	                .is_aborted = true,
	                .peer = 1,
	                .path = TEXT("/os/x"),
	                .offset = 4,
	                .bytes = 5,
	                .size = 6,
	                .elapsed = 7 } },
	{ .kind = WORKER_LOADED, .result = { .id = 3, .result = 0 } },
	{ .kind = WORKER_REMOVED, .result = { .id = 4, .result = 1 } },
	{ .kind = WORKER_COUNTS, .counts = { .n = 3, .value = { 1, 0, UINT64_MAX } } },
};

/* Whether both say the same, compared on the wire: there every field stands. */
static void assert_same(const struct worker_message *a, const struct worker_message *b)
{
	static uint8_t other[WORKER_MESSAGE_MAX];
	struct bytes x = BYTES_ON(wire), y = BYTES_ON(other);

	worker_message_build(a, &x);
	worker_message_build(b, &y);
	assert_int_equal(x.len, y.len);
	assert_memory_equal(x.data, y.data, x.len);
}

static void every_message_is_read_as_it_was_written(void **state)
{
	assert_int_equal(ARRAY_SIZE(messages), _WORKER_MESSAGE_KIND_MAX);
	for (int i = 0; i < _WORKER_MESSAGE_KIND_MAX; i++) {
		static uint8_t packet[WORKER_MESSAGE_MAX];
		struct bytes out = BYTES_ON(packet);
		struct worker_message back;

		assert_int_equal(messages[i].kind, i);
		worker_message_build(&messages[i], &out);
		assert_false(out.overflow);
		assert_int_equal(worker_message_parse(bytes_slice(&out), &back), 0);
		assert_int_equal(back.kind, i);
		assert_same(&messages[i], &back);
	}
}

static void values_arrive(void **state)
{
	struct bytes out = BYTES_ON(wire);
	struct worker_message back;

	worker_message_build(&messages[WORKER_GRANT], &out);
	assert_int_equal(worker_message_parse(bytes_slice(&out), &back), 0);
	assert_int_equal(back.grant.status, 403);
	assert_true(back.grant.attempt == INT64_MAX);
	assert_true(back.grant.max == -1);
	assert_slice_equal(back.grant.name, "output");
	assert_true(back.grant.is_unrecorded);
}

static void cut_and_prolonged_packets_are_refused(void **state)
{
	for (size_t i = 0; i < ARRAY_SIZE(messages); i++) {
		struct bytes out = BYTES_ON(wire);
		struct worker_message back;

		worker_message_build(&messages[i], &out);
		for (size_t len = 0; len < out.len; len++)
			assert_int_equal(worker_message_parse(slice_make(wire, len), &back),
			                 WORKER_MESSAGE_BAD);
		bytes_append_u8(&out, 0);
		assert_int_equal(worker_message_parse(bytes_slice(&out), &back),
		                 WORKER_MESSAGE_BAD);
	}
}

static void numbers_out_of_range_are_refused(void **state)
{
	static const uint8_t unknown[] = { _WORKER_MESSAGE_KIND_MAX };
	static const uint8_t two[] = { WORKER_LISTEN, 0, 0, 0, 2 };
	static const uint8_t many_roots[] = { WORKER_CONFIG, 0xff, 0xff, 0xff, 0xff };
	struct worker_message back;

	assert_int_equal(worker_message_parse(slice_make(unknown, 1), &back), WORKER_MESSAGE_BAD);
	assert_int_equal(worker_message_parse(slice_make(two, 5), &back), WORKER_MESSAGE_BAD);
	assert_int_equal(worker_message_parse(slice_make(many_roots, 5), &back),
	                 WORKER_MESSAGE_BAD);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_message_is_read_as_it_was_written),
		cmocka_unit_test(values_arrive),
		cmocka_unit_test(cut_and_prolonged_packets_are_refused),
		cmocka_unit_test(numbers_out_of_range_are_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

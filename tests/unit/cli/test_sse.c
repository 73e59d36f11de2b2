/* SPDX-License-Identifier: MulanPSL-2.0 */
#include "tests/support/test.h"

#include "cli/sse.h"
#include "lib/base/macro.h"

/* All events of a stream fed `step` bytes at a time, written as "event/id/data|". */
static void play(struct sse *sse, struct slice stream, size_t step, char *to, size_t size)
{
	size_t len = 0;

	to[0] = '\0';
	while (stream.len > 0) {
		struct slice part = slice_take(&stream, MIN(step, stream.len));
		struct sse_event event;

		while (sse_next(sse, &part, &event) == SSE_EVENT)
			len += (size_t)snprintf(to + len, size - len, "%s/%s/%.*s|", event.event,
			                        event.id, (int)event.data.len,
			                        (const char *)event.data.data);
	}
}

static const struct {
	const char *stream, *events;
} cases[] = {
	{ "event: job.running\nid: 7\ndata: {\"a\":1}\n\n", "job.running/7/{\"a\":1}|" },
	{ "data: a\r\ndata:b\r\n\r\ndata: c\r\r", "message//a\nb|message//c|" },
	{ ": keep-alive\n\n:\n\ndata: x\n\n", "message//x|" },
	{ "id: 1\n\ndata: x\n\n", "message/1/x|" },
	{ "id: 1\ndata: x\n\nid\ndata: y\n\n", "message/1/x|message//y|" },
	{ "\xef\xbb\xbf"
	  "data: x\n\n",
	  "message//x|" },
	{ "\xef\xbb\xbf\n\ndata: x\n\n", "message//x|" },
	{ "data: x\nretry: 100\nother\n\n", "message//x|" },
	{ "data:  two\n\n", "message// two|" },
	{ "data\n\n", "message//|" },
	{ "event: e\n\ndata: x\n\n", "message//x|" },
	{ "data: a\r\n\ndata: c\r\n\r\n", "message//a|message//c|" },
	{ "data: not whole\n", "" },
	{ "data: a\n\ndata: not whole", "message//a|" },
	{ "event: 0123456789012345678901234567890123456789012345678901234567890123456789\n"
	  "data: x\n\n",
	  "message//x|" },
};

static void events_are_read_at_any_cut(void **state)
{
	static const size_t steps[] = { 1, 2, 3, 7, 1000 };

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		for (size_t j = 0; j < ARRAY_SIZE(steps); j++) {
			char events[300];
			struct sse sse;

			sse_init(&sse);
			play(&sse, slice_from_text(cases[i].stream), steps[j], events,
			     sizeof(events));
			assert_string_equal(events, cases[i].events);
			sse_deinit(&sse);
		}
	}
}

static void only_whole_events_count_for_the_next_connection(void **state)
{
	char events[100];
	struct sse sse;

	sse_init(&sse);
	play(&sse, SLICE_LITERAL("id: 4\ndata: x\n\nid: 5\ndata: cut of"), 1000, events,
	     sizeof(events));
	assert_string_equal(sse.last_id, "4");
	sse_restart(&sse);
	assert_string_equal(sse.last_id, "4");
	play(&sse, SLICE_LITERAL("data: y\n\n"), 1000, events, sizeof(events));
	assert_string_equal(events, "message/4/y|");
	sse_deinit(&sse);
}

static void an_id_with_a_nul_is_ignored(void **state)
{
	char events[100];
	struct sse sse;

	sse_init(&sse);
	play(&sse, SLICE_LITERAL("id: 1\ndata: x\n\nid: 2\0\ndata: y\n\n"), 5, events,
	     sizeof(events));
	assert_string_equal(events, "message/1/x|message/1/y|");
	sse_deinit(&sse);
}

static void a_stream_without_end_is_given_up(void **state)
{
	static char noise[1024];
	struct sse sse;
	struct sse_event event;
	size_t n = 0;
	int q = 0;

	memset(noise, 'x', sizeof(noise));
	sse_init(&sse);
	for (; q == 0 && n < 2 * SSE_LINE_MAX; n += sizeof(noise)) {
		struct slice part = slice_make(noise, sizeof(noise));

		q = sse_next(&sse, &part, &event);
	}
	assert_int_equal(q, SSE_TOO_LONG);
	assert_true(n <= SSE_LINE_MAX + sizeof(noise));
	sse_deinit(&sse);
	sse_init(&sse);
	for (n = 0, q = 0; q == 0 && n < 2 * SSE_DATA_MAX; n += 1000) {
		struct slice part = slice_make(noise, 1000);
		struct slice begin = SLICE_LITERAL("data:"), end = SLICE_LITERAL("\n");

		(void)sse_next(&sse, &begin, &event);
		(void)sse_next(&sse, &part, &event);
		q = sse_next(&sse, &end, &event);
	}
	assert_int_equal(q, SSE_TOO_LONG);
	sse_deinit(&sse);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(events_are_read_at_any_cut),
		cmocka_unit_test(only_whole_events_count_for_the_next_connection),
		cmocka_unit_test(an_id_with_a_nul_is_ignored),
		cmocka_unit_test(a_stream_without_end_is_given_up),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

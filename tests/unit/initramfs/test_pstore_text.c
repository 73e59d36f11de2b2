/* SPDX-License-Identifier: MulanPSL-2.0 */
#include "tests/support/test.h"

#include "initramfs/pstore_text.h"
#include "lib/base/macro.h"

static const struct {
	const char *text;
	int outcome;
	unsigned part;
	const char *reason, *lines;
} heads[] = {
	{ "Panic#1 Part1\n<0>[1.0] a\n", 0, 1, "Panic", "<0>[1.0] a\n" },
	{ "Oops#12 Part31\n", 0, 31, "Oops", "" },
	{ "Emergency#1 Part2", 0, 2, "Emergency", "" },
	{ "", PSTORE_HEAD_NONE, 0, NULL, NULL },
	{ "#1 Part1\n", PSTORE_HEAD_NONE, 0, NULL, NULL },
	{ "Panic#1 Part0\n", PSTORE_HEAD_NONE, 0, NULL, NULL },
	{ "Panic#1 Part\n", PSTORE_HEAD_NONE, 0, NULL, NULL },
	{ "Panic#x Part1\n", PSTORE_HEAD_NONE, 0, NULL, NULL },
	{ "Panic#1 Part1 of 3\n", PSTORE_HEAD_NONE, 0, NULL, NULL },
	{ "Panic#1 Part99999999999999999999\n", PSTORE_HEAD_NONE, 0, NULL, NULL },
	{ "<6>[    1.0] a line of a log\n", PSTORE_HEAD_NONE, 0, NULL, NULL },
};

static void the_first_line_tells_reason_and_part(void **state)
{
	for (size_t i = 0; i < ARRAY_SIZE(heads); i++) {
		struct pstore_head head;

		assert_int_equal(pstore_head_parse(slice_from_text(heads[i].text), &head),
		                 heads[i].outcome);
		if (heads[i].outcome != 0)
			continue;
		assert_int_equal(head.part, heads[i].part);
		assert_slice_equal(head.reason, heads[i].reason);
		assert_slice_equal(head.lines, heads[i].lines);
	}
}

#define RECORD(second, words)                                                                      \
	{                                                                                          \
		.time = (second)*USEC_PER_SEC, .text = SLICE_LITERAL(words)                        \
	}

static void parts_are_joined_in_the_order_they_were_said(void **state)
{
	struct pstore_record records[] = {
		RECORD(20, "Panic#2 Part2\nbefore\n"), RECORD(10, "Oops#1 Part3\none\n"),
		RECORD(20, "Panic#2 Part1\nend"),      RECORD(10, "Oops#1 Part1\nthree\n"),
		RECORD(15, "console, not a dump\n"),   RECORD(10, "Oops#1 Part2\ntwo\n"),
	};
	struct buffer out = BUFFER_NULL;

	pstore_text_join(records, ARRAY_SIZE(records), &out);
	assert_slice_equal(buffer_slice(&out), "Oops, as the kernel saved it:\none\ntwo\nthree\n"
	                                       "Panic, as the kernel saved it:\nbefore\nend\n");
	buffer_deinit(&out);
}

/* The clock of a machine steps while it saves; two boots panic alike. */
static void another_part_one_begins_another_dump(void **state)
{
	struct pstore_record records[] = {
		RECORD(10, "Panic#1 Part1\nb\n"),
		RECORD(11, "Panic#1 Part2\na\n"),
		RECORD(12, "Panic#1 Part1\nd\n"),
		RECORD(12, "Panic#1 Part2\nc\n"),
	};
	struct buffer out = BUFFER_NULL;

	pstore_text_join(records, ARRAY_SIZE(records), &out);
	assert_slice_equal(buffer_slice(&out), "Panic, as the kernel saved it:\na\nb\n"
	                                       "Panic, as the kernel saved it:\nc\nd\n");
	buffer_deinit(&out);
}

static void nothing_saved_is_nothing_said(void **state)
{
	struct pstore_record record = RECORD(1, "no dump\n");
	struct buffer out = BUFFER_NULL;

	pstore_text_join(&record, 1, &out);
	pstore_text_join(NULL, 0, &out);
	assert_int_equal(out.len, 0);
	buffer_deinit(&out);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_first_line_tells_reason_and_part),
		cmocka_unit_test(parts_are_joined_in_the_order_they_were_said),
		cmocka_unit_test(another_part_one_begins_another_dump),
		cmocka_unit_test(nothing_saved_is_nothing_said),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

/* SPDX-License-Identifier: MulanPSL-2.0 */
#include "tests/support/test.h"

#include "lib/base/buffer.h"
#include "lib/base/bytes.h"

static void slice_cut_leaves_the_rest(void **state)
{
	struct slice rest = SLICE_LITERAL("a,b,,c");

	assert_true(slice_equal(slice_cut(&rest, ','), SLICE_LITERAL("a")));
	assert_true(slice_equal(slice_cut(&rest, ','), SLICE_LITERAL("b")));
	assert_int_equal(slice_cut(&rest, ',').len, 0);
	assert_true(slice_equal(slice_cut(&rest, ','), SLICE_LITERAL("c")));
	assert_int_equal(rest.len, 0);
	assert_int_equal(slice_cut(&rest, ',').len, 0);
}

static void slice_prefixes_and_case(void **state)
{
	struct slice s = SLICE_LITERAL("Content-Length");

	assert_true(slice_has_prefix(s, SLICE_LITERAL("Content-")));
	assert_false(slice_has_prefix(s, SLICE_LITERAL("content-")));
	assert_true(slice_has_suffix(s, SLICE_LITERAL("Length")));
	assert_true(slice_equal_nocase(s, SLICE_LITERAL("CONTENT-length")));
	assert_false(slice_equal_nocase(s, SLICE_LITERAL("CONTENT-lengths")));
	assert_false(slice_has_prefix(SLICE_NULL, SLICE_LITERAL("x")));
}

static void builder_remembers_overflow_and_writes_nothing_past_it(void **state)
{
	uint8_t room[4];
	struct bytes b = BYTES_ON(room);

	bytes_append_be16(&b, 0x0102);
	bytes_append_be32(&b, 1);
	assert_true(b.overflow);
	assert_int_equal(b.len, 2);
	bytes_append_u8(&b, 9);
	assert_int_equal(b.len, 2);
	assert_int_equal(get_be16(room), 0x0102);
}

static void builder_fills_to_the_last_byte(void **state)
{
	uint8_t room[4];
	struct bytes b = BYTES_ON(room);

	bytes_append_be32(&b, UINT32_C(0xdeadbeef));
	assert_false(b.overflow);
	assert_int_equal(get_be32(room), UINT32_C(0xdeadbeef));
	bytes_append(&b, NULL, 0);
	assert_false(b.overflow);
	bytes_append_zeros(&b, 1);
	assert_true(b.overflow);
}

static void buffer_grows_up_to_its_limit(void **state)
{
	struct buffer b = { .max = 1000 };

	for (int i = 0; i < 100; i++)
		buffer_printf(&b, "%010d", i);
	assert_int_equal(buffer_error(&b), 0);
	assert_int_equal(b.len, 1000);
	buffer_append_text(&b, "x");
	assert_int_equal(buffer_error(&b), -ENOMEM);
	assert_int_equal(b.len, 1000);
	buffer_deinit(&b);
	assert_int_equal(b.max, 1000);
}

static void buffer_consume_keeps_the_tail(void **state)
{
	struct buffer b = BUFFER_NULL;

	buffer_append_text(&b, "headtail");
	buffer_consume(&b, 4);
	assert_string_equal((const char *)b.data, "tail");
	buffer_deinit(&b);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(slice_cut_leaves_the_rest),
		cmocka_unit_test(slice_prefixes_and_case),
		cmocka_unit_test(builder_remembers_overflow_and_writes_nothing_past_it),
		cmocka_unit_test(builder_fills_to_the_last_byte),
		cmocka_unit_test(buffer_grows_up_to_its_limit),
		cmocka_unit_test(buffer_consume_keeps_the_tail),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

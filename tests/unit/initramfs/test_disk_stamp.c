/* SPDX-License-Identifier: MulanPSL-2.0 */
#include "tests/support/test.h"

#include "initramfs/disk_stamp.h"

static void what_is_written_is_read(void **state)
{
	struct disk_stamp stamp = { .is_there = true, .is_taking = true }, read;
	uint8_t block[DISK_STAMP_SIZE];

	for (unsigned i = 0; i <= DISK_STAMP_TOKENS_MAX; i++) {
		disk_stamp_build(&stamp, block);
		assert_int_equal(disk_stamp_parse(block, &read), 0);
		assert_int_equal(read.n_tokens, i);
		assert_int_equal(read.is_taking, stamp.is_taking);
		for (unsigned k = 0; k < i; k++)
			assert_true(disk_stamp_has(&read, stamp.tokens[k]));
		assert_false(disk_stamp_has(&read, "ZA1"));
		if (i == DISK_STAMP_TOKENS_MAX)
			break;
		/* the longest that there can be */
		memset(stamp.tokens[i], 'a' + (int)i, DISK_STAMP_TOKEN_MAX - 1);
		stamp.n_tokens++;
		stamp.is_taking = !stamp.is_taking;
	}
}

static void a_byte_that_changed_makes_it_none(void **state)
{
	struct disk_stamp stamp = { .is_there = true, .n_tokens = 1, .tokens = { "ZA1" } }, read;
	uint8_t block[DISK_STAMP_SIZE];
	size_t len;

	disk_stamp_build(&stamp, block);
	len = strlen((const char *)block);
	for (size_t i = 0; i < len; i++) {
		block[i] ^= 1;
		if (disk_stamp_parse(block, &read) == 0)
			fail_msg("byte %zu", i);
		block[i] ^= 1;
	}
	assert_int_equal(disk_stamp_parse(block, &read), 0);
	memset(block, 0, sizeof(block));
	assert_int_equal(disk_stamp_parse(block, &read), DISK_STAMP_NONE);
	memset(block, 'x', sizeof(block));
	assert_int_equal(disk_stamp_parse(block, &read), DISK_STAMP_NONE);
}

static void its_places_are_in_what_lvm_does_not_get(void **state)
{
	static const uint64_t sizes[] = { DISK_STAMP_LEAST, DISK_STAMP_LEAST + 512,
		                          (uint64_t)8 << 40, 1000204886016 };

	for (size_t i = 0; i < sizeof(sizes) / sizeof(*sizes); i++)
		for (unsigned copy = 0; copy < 2; copy++) {
			uint64_t at = disk_stamp_offset(sizes[i], copy);

			assert_true(at + DISK_STAMP_SIZE <= sizes[i]);
			assert_true(at >= sizes[i] - DISK_STAMP_ROOM);
			assert_int_equal(at % DISK_STAMP_SIZE, 0);
		}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_is_written_is_read),
		cmocka_unit_test(a_byte_that_changed_makes_it_none),
		cmocka_unit_test(its_places_are_in_what_lvm_does_not_get),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

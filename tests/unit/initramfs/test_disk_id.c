/* SPDX-License-Identifier: MulanPSL-2.0 */
#include "tests/support/test.h"

#include "initramfs/disk_id.h"
#include "lib/base/macro.h"

static void serial_numbers_are_trimmed(void **state)
{
	static const struct {
		struct slice text;
		const char *id;
	} cases[] = {
		{ SLICE_LITERAL("ZA1HM4ZK\n"), "ZA1HM4ZK" },
		{ SLICE_LITERAL("  S3 X9\0\0\0"), "S3_X9" },
		{ SLICE_LITERAL("a\x01\xff"
		                "b"),
		  "ab" },
		{ SLICE_LITERAL(" \n"), "" },
		{ SLICE_LITERAL(""), "" },
		{ SLICE_LITERAL(
			  "0123456789012345678901234567890123456789012345678901234567890123456"
			  "789012345678901234567890123456789"),
		  "" },
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		char id[DISK_ID_MAX];

		disk_id_from_text(cases[i].text, id);
		assert_string_equal(id, cases[i].id);
	}
}

static void page_80_is_read_within_its_length(void **state)
{
	static const struct {
		struct slice page;
		const char *id;
	} cases[] = {
		{ SLICE_LITERAL("\x00\x80\x00\x04"
		                "ABCDrest"),
		  "ABCD" },
		{ SLICE_LITERAL("\x00\x80\x00\x14 WD-12"), "WD-12" }, /* says more than it has */
		{ SLICE_LITERAL("\x00\x83\x00\x04"
		                "ABCD"),
		  "" },
		{ SLICE_LITERAL("\x00\x80\x00"), "" },
		{ SLICE_LITERAL(""), "" },
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		char id[DISK_ID_MAX];

		disk_id_from_page80(cases[i].page, id);
		assert_string_equal(id, cases[i].id);
	}
}

static void world_wide_names_are_digits(void **state)
{
	static const struct {
		const char *text, *wwn;
	} cases[] = {
		{ "naa.5000C500A1B2C3D4\n", "5000c500a1b2c3d4" },
		{ "eui.0025385b71b0f2a1", "0025385b71b0f2a1" },
		{ "0x5000c500a1b2c3d4", "5000c500a1b2c3d4" },
		{ "t10.ATA     QEMU HARDDISK", "" },
		{ "nvme.1b36-64656164", "" },
		{ "5000", "" },
		{ "", "" },
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		char id[DISK_ID_MAX];

		disk_id_from_wwid(slice_from_text(cases[i].text), id);
		assert_string_equal(id, cases[i].wwn);
	}
}

static void what_is_written_is_one_disk(void **state)
{
	static const char wwn[] = "5000c500a1b2c3d4";
	static const struct {
		const char *written, *serial;
		bool is, is_permitted;
	} cases[] = {
		{ "ZA1", "ZA1", true, true },
		{ "za1", "ZA1", false, false },
		{ "ZA1x", "ZA1", false, false },
		{ "ZA", "ZA1", false, false },
		{ "", "", false, false },
		{ "", "ZA1", false, false },
		{ "wwn-0x5000c500a1b2c3d4", "ZA1", true, true },
		{ "0x5000C500A1B2C3D4", "", true, true },
		{ "naa.5000c500a1b2c3d4", "", true, true },
		{ "5000c500a1b2c3d5", "", false, false },
		{ "ZA1:2", "ZA1", false, true },
		{ "ZA1:again-2026", "ZA1", false, true },
		{ "ZA1:", "ZA1", false, false },
		{ "ZA1:a b", "ZA1", false, false },
		{ ":2", "", false, false },
		{ "A:B:2", "A:B", false, true },
		{ "A:B", "A:B", true, true },
		{ "5000c500a1b2c3d4:x", "", false, true },
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct slice written = slice_from_text(cases[i].written);

		if (disk_id_is(written, cases[i].serial, wwn) != cases[i].is ||
		    disk_id_is_permitted(written, cases[i].serial, wwn) != cases[i].is_permitted)
			fail_msg("%s", cases[i].written);
	}
	/* a disk without a WWN has not the empty one */
	assert_false(disk_id_is(SLICE_LITERAL("wwn-"), "", ""));
	assert_false(disk_id_is(SLICE_LITERAL("0x"), "", ""));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(serial_numbers_are_trimmed),
		cmocka_unit_test(page_80_is_read_within_its_length),
		cmocka_unit_test(world_wide_names_are_digits),
		cmocka_unit_test(what_is_written_is_one_disk),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

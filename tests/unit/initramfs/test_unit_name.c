/* SPDX-License-Identifier: MulanPSL-2.0 */
#include "tests/support/test.h"

#include "initramfs/unit_name.h"

/* The names on the right are what systemd-escape --path --suffix=device prints. */
static void nodes_become_device_units(void **state)
{
	static const struct {
		const char *node, *unit;
	} cases[] = {
		{ "/dev/vda", "dev-vda.device" },
		{ "/dev/disk/by-label/e2eroot", "dev-disk-by\\x2dlabel-e2eroot.device" },
		{ "/dev/mapper/os-a--b", "dev-mapper-os\\x2da\\x2d\\x2db.device" },
		{ "/dev/disk/by-label/my\\x20root", "dev-disk-by\\x2dlabel-my\\x5cx20root.device" },
		{ "/dev//vda", "dev-vda.device" },
		{ "/dev/vda/", "dev-vda.device" },
		{ "/dev/.hidden/a.b", "dev-.hidden-a.b.device" },
		{ "/dev/disk/by-id/ata:1_2@3+4", "dev-disk-by\\x2did-ata:1_2\\x403\\x2b4.device" },
		{ "/dev/\xc3\xbc", "dev-\\xc3\\xbc.device" },
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		char unit[UNIT_NAME_MAX];

		assert_int_equal(unit_name_from_node(cases[i].node, unit), 0);
		assert_string_equal(unit, cases[i].unit);
	}
}

static void a_name_too_long_for_systemd_is_refused(void **state)
{
	char node[400] = "/dev/", unit[UNIT_NAME_MAX];

	memset(node + 5, 'a', 242); /* "dev-", 242, ".device" */
	assert_int_equal(unit_name_from_node(node, unit), 0);
	assert_int_equal(strlen(unit), 253);
	node[5 + 242] = 'a';
	assert_int_equal(unit_name_from_node(node, unit), UNIT_NAME_TOO_LONG);
	assert_string_equal(unit, "");
}

static void tags_become_the_links_of_udev(void **state)
{
	static const struct {
		const char *value, *node;
	} cases[] = {
		{ "e2eroot", "/dev/disk/by-label/e2eroot" },
		{ "my root", "/dev/disk/by-label/my\\x20root" },
		{ "a/b", "/dev/disk/by-label/a\\x2fb" },
		{ "50%", "/dev/disk/by-label/50\\x25" },
		{ "#+-.:=@_", "/dev/disk/by-label/#+-.:=@_" },
		{ "a\\b", "/dev/disk/by-label/a\\x5cb" },
		{ "\xc3\xbc", "/dev/disk/by-label/\xc3\xbc" },
		{ "\xc3", "/dev/disk/by-label/\\xc3" },          /* cut short */
		{ "\xc0\xaf", "/dev/disk/by-label/\\xc0\\xaf" }, /* not shortest */
	};
	char node[32];

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		char room[128];

		assert_int_equal(unit_name_tag_node("by-label", slice_from_text(cases[i].value),
		                                    room, sizeof(room)),
		                 0);
		assert_string_equal(room, cases[i].node);
	}
	assert_int_equal(
		unit_name_tag_node("by-label", SLICE_LITERAL("123456789012"), node, sizeof(node)),
		0);
	assert_int_equal(
		unit_name_tag_node("by-label", SLICE_LITERAL("1234567890123"), node, sizeof(node)),
		UNIT_NAME_TOO_LONG);
}

static void specifiers_are_doubled(void **state)
{
	char room[32];
	struct bytes out = BYTES_ON(room);

	unit_name_append_value(&out, "/dev/50%i");
	assert_slice_equal(bytes_slice(&out), "/dev/50%%i");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(nodes_become_device_units),
		cmocka_unit_test(a_name_too_long_for_systemd_is_refused),
		cmocka_unit_test(tags_become_the_links_of_udev),
		cmocka_unit_test(specifiers_are_doubled),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

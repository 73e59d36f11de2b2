/* SPDX-License-Identifier: MulanPSL-2.0 */
#include "tests/support/test.h"

#include "initramfs/lvm_names.h"
#include "lib/base/macro.h"

static const struct {
	const char *root, *version;
	int outcome;
	const char *scratch, *source;
} roots[] = {
	{ "10.0.0.1:/os/openeuler/aarch64/20.03-2021-05-18-15-08-52", "20.03", 0,
	  "openeuler_aarch64_20.03", "openeuler_aarch64_20.03_20210518150852" },
	{ "10.0.0.1:/os/openeuler/aarch64/22.03-iso-2023-01-01-00-00-00", "22.03-iso", 0,
	  "openeuler_aarch64_22.03_iso", "openeuler_aarch64_22.03_iso_20230101000000" },
	/* the version is the key's, whatever the path says */
	{ "h:/os/openeuler/aarch64/20.03-20210518150852", "20.09-LTS-SP1", 0,
	  "openeuler_aarch64_20.09_LTS_SP1", "openeuler_aarch64_20.09_LTS_SP1_20210518150852" },
	/* the original's defects, which a user has seen */
	{ "h:/os/openeuler/aarch64/20.03-2021-05-18-15-08-52", "", 0, "openeuler_aarch64_",
	  "openeuler_aarch64__20210518150852" },
	{ "h:/os/debian/x86-64/12-2021-05-18-15-08-52", "12", 0, "debian_x86_12",
	  "debian_x86_12_20210518150852" },
	{ "h:/openeuler/aarch64/20.03-2021-05-18-15-08-52", "20.03", 0, "aarch64_20.03_20.03",
	  "aarch64_20.03_20.03_20210518150852" },
	{ "cifs://10.0.0.1/os/openeuler/aarch64/20.03-2021-05-18-15-08-52", "20.03", 0,
	  "10.0.0.1_os_20.03", "10.0.0.1_os_20.03_20210518150852" },
	{ "cifs://my-server/os/x/y/1-2021-05-18-15-08-52", "1", 0, "my_server_1",
	  "my_server_1_20210518150852" },
	{ "h:/os/a/b/2021-05-18-15-08-5-2-", "1", 0, "a_b_1", "a_b_1_20210518150852" },
	{ "h:/os/a/b/99920210518150852", "1", 0, "a_b_1", "a_b_1_20210518150852" },
	/* where the original could only fail */
	{ "my-server:/os/openeuler/aarch64/20.03-2021-05-18-15-08-52", "20.03", 0,
	  "openeuler_aarch64_20.03", "openeuler_aarch64_20.03_20210518150852" },
	{ "nfs:/os/openeuler/aarch64/20.03-2021-05-18-15-08-52", "20.03", 0,
	  "openeuler_aarch64_20.03", "openeuler_aarch64_20.03_20210518150852" },
	/* an image: ours alone */
	{ "live:http://h:8000/os/debian/x86_64/bookworm-2026-11-22-16-47-14/root.img", "bookworm",
	  0, "debian_x86_64_bookworm", "debian_x86_64_bookworm_20261122164714" },
	{ "live:http://my-h/os/debian/x86_64/12-2026-11-22-16-47-14.ext4", "12", 0,
	  "debian_x86_64_12", "debian_x86_64_12_20261122164714" },
	{ "live:http://h/os/debian/x86_64/bookworm/root.img", "12", LVM_NAMES_TIME, NULL, NULL },
	{ "live:http://h", "12", LVM_NAMES_TIME, NULL, NULL },
	/* refused */
	{ "h:/os/openeuler/aarch64/20.03", "20.03", LVM_NAMES_TIME, NULL, NULL },
	{ "h:/os/a/b/2021-05-18-15-08-52/", "1", LVM_NAMES_TIME, NULL, NULL },
	{ "h:/os/a/b/1021-05-18-15-08", "1", LVM_NAMES_TIME, NULL, NULL },
	{ "h:/os-20210518150852", "1", LVM_NAMES_FIELDS, NULL, NULL },
	{ "", "1", LVM_NAMES_TIME, NULL, NULL },
	{ "h:/os/a/b/20210518150852", "2 0", LVM_NAMES_BAD, NULL, NULL },
	{ "h:/os/a/b/20210518150852", "1_tmeta", LVM_NAMES_BAD, NULL, NULL },
	{ "h:/os/snapshots/b/20210518150852", "1", LVM_NAMES_BAD, NULL, NULL },
};

static void roots_have_the_names_of_the_original(void **state)
{
	for (size_t i = 0; i < ARRAY_SIZE(roots); i++) {
		struct lvm_names names = { .scratch = "" };
		int r = lvm_names_from_root(slice_from_text(roots[i].root),
		                            slice_from_text(roots[i].version), &names);

		if (r != roots[i].outcome)
			fail_msg("%s: %d", roots[i].root, r);
		if (r != 0)
			continue;
		assert_string_equal(names.scratch, roots[i].scratch);
		assert_string_equal(names.source, roots[i].source);
		assert_true(lvm_names_is_source(names.source));
		assert_false(lvm_names_is_source(names.scratch));
	}
}

static void a_name_that_leaves_no_room_for_a_time_is_refused(void **state)
{
	char version[200];
	struct lvm_names names;

	for (size_t len = 1; len < sizeof(version); len++) {
		struct slice root = SLICE_LITERAL("h:/os/a/b/20210518150852");
		int r;

		memset(version, 'v', len);
		r = lvm_names_from_root(root, slice_make(version, len), &names);
		assert_int_equal(r, len + 4 + 15 < LVM_NAME_MAX ? 0 : LVM_NAMES_BAD);
	}
}

static const struct {
	const char *node;
	int outcome;
	const char *name;
} nodes[] = {
	{ "/dev/mapper/os-openeuler_aarch64_20.03", 0, "openeuler_aarch64_20.03" },
	{ "/dev/mapper/os-my--name", 0, "my-name" },
	{ "/dev/os/my-name", 0, "my-name" },
	{ "/dev/mapper/os-my-name", LVM_NAMES_BAD, NULL },
	{ "/dev/mapper/os-name-", LVM_NAMES_BAD, NULL },
	{ "/dev/mapper/os--x-name", LVM_NAMES_FIELDS, NULL },
	{ "/dev/mapper/os-", LVM_NAMES_BAD, NULL },
	{ "/dev/mapper/osx", LVM_NAMES_FIELDS, NULL },
	{ "/dev/os/a/b", LVM_NAMES_BAD, NULL },
	{ "/dev/os/..", LVM_NAMES_BAD, NULL },
	{ "/dev/vda2", LVM_NAMES_FIELDS, NULL },
	{ "", LVM_NAMES_FIELDS, NULL },
};

static void nodes_are_read_as_device_mapper_writes_them(void **state)
{
	for (size_t i = 0; i < ARRAY_SIZE(nodes); i++) {
		char name[LVM_NAME_MAX], again[LVM_NAME_MAX], node[LVM_NODE_MAX];
		int r = lvm_names_from_node(slice_from_text(nodes[i].node), name);

		if (r != nodes[i].outcome)
			fail_msg("%s: %d", nodes[i].node, r);
		if (r != 0)
			continue;
		assert_string_equal(name, nodes[i].name);
		lvm_names_node(name, node);
		assert_int_equal(lvm_names_from_node(slice_from_text(node), again), 0);
		assert_string_equal(again, name);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(roots_have_the_names_of_the_original),
		cmocka_unit_test(a_name_that_leaves_no_room_for_a_time_is_refused),
		cmocka_unit_test(nodes_are_read_as_device_mapper_writes_them),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

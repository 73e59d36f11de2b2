/* SPDX-License-Identifier: MulanPSL-2.0 */
/*
 * What each disk is, and what may be done with it: the whole law in two tables.
 */
#include "tests/support/test.h"

#include "initramfs/disk_policy.h"
#include "lib/base/macro.h"

#define DISK                                                                                       \
	.name = "/dev/disk/by-id/x", .node = "/dev/sda", .whole = "/dev/sda", .serial = "ZA1",     \
	.wwn = "5000c500a1b2c3d4", .size = (uint64_t)8 << 40
#define ZERO .is_head_zero = true, .is_tail_zero = true
#define PV   .probe = DISK_PROBE_ONE, .type = "LVM2_member", .is_group_known = true

static const struct {
	struct disk_facts facts;
	enum disk_state state;
	const char *found;
} states[] = {
	{ { DISK, ZERO }, DISK_BLANK, "nothing" },
	{ { DISK, .is_head_zero = true }, DISK_FOREIGN, "no signature, but its end is not empty" },
	{ { DISK, .is_tail_zero = true },
	  DISK_FOREIGN,
	  "no signature, but its beginning is not empty" },
	{ { DISK, ZERO, .probe = DISK_PROBE_AMBIVALENT },
	  DISK_FOREIGN,
	  "signatures of more than one kind" },
	{ { DISK, ZERO, .error = "Input/output error" },
	  DISK_FOREIGN,
	  "what is on it cannot be read (Input/output error)" },
	{ { DISK, ZERO, .is_read_only = true }, DISK_FOREIGN, "it cannot be written" },
	{ { DISK, ZERO, .table = "gpt" }, DISK_FOREIGN, "a gpt partition table" },
	{ { DISK, .table = "dos", .probe = DISK_PROBE_ONE, .type = "iso9660" },
	  DISK_FOREIGN,
	  "a dos partition table and iso9660" },
	{ { DISK, .probe = DISK_PROBE_ONE, .type = "ext4", .label = "data" },
	  DISK_FOREIGN,
	  "ext4 labelled \"data\"" },
	{ { DISK, .probe = DISK_PROBE_ONE, .type = "xfs", .is_damaged = true },
	  DISK_FOREIGN,
	  "xfs with a wrong checksum" },
	{ { DISK, .probe = DISK_PROBE_ONE, .type = "crypto_LUKS" },
	  DISK_FOREIGN,
	  "an encrypted volume (LUKS)" },
	{ { DISK, .probe = DISK_PROBE_ONE, .type = "zfs_member" },
	  DISK_FOREIGN,
	  "a member of a ZFS pool" },
	{ { DISK, .probe = DISK_PROBE_ONE, .type = "linux_raid_member" },
	  DISK_FOREIGN,
	  "a member of a RAID (md)" },
	{ { DISK, .probe = DISK_PROBE_ONE, .type = "swap" }, DISK_FOREIGN, "swap space" },
	{ { DISK, PV, .group = "os", .is_group_ours = true }, DISK_OURS, "volume group os, ours" },
	{ { DISK, PV, .group = "os" }, DISK_LEGACY, "volume group os, made by the original" },
	{ { DISK, PV, .group = "home" }, DISK_FOREIGN, "volume group home" },
	{ { DISK, PV }, DISK_FOREIGN, "a physical volume in no group" },
	{ { DISK, PV, .stamp = { .is_there = true } },
	  DISK_FOREIGN,
	  "a physical volume in no group" },
	{ { DISK, PV, .stamp = { .is_there = true, .is_taking = true } },
	  DISK_BLANK,
	  "a physical volume in no group" },
	{ { DISK, PV, .group = "home", .stamp = { .is_there = true, .is_taking = true } },
	  DISK_FOREIGN,
	  "volume group home" },
	{ { DISK, .probe = DISK_PROBE_ONE, .type = "LVM2_member" },
	  DISK_FOREIGN,
	  "a physical volume that lvm cannot read" },
	{ { DISK, PV, .group = "os", .is_group_ours = true, .table = "gpt" },
	  DISK_FOREIGN,
	  "a gpt partition table and LVM2_member" },
	{ { DISK, PV, .group = "os", .is_group_ours = true, .used_by = "/mnt" },
	  DISK_BUSY,
	  "in use by /mnt" },
	{ { DISK, ZERO, .used_by = "md127" }, DISK_BUSY, "in use by md127" },
	{ { .name = "/dev/sdx", .is_missing = true }, DISK_MISSING, "no such device" },
	{ { .name = "x", .node = "/dev/x", ZERO, .size = 1 << 20 },
	  DISK_FOREIGN,
	  "it is smaller than 128 MiB" },
};

static void a_disk_is_what_is_on_it(void **state)
{
	for (size_t i = 0; i < ARRAY_SIZE(states); i++) {
		char found[160];

		disk_state_explain(&states[i].facts, found, sizeof(found));
		assert_string_equal(found, states[i].found);
		if (disk_state_decide(&states[i].facts) != states[i].state)
			fail_msg("%s: %s", found,
			         disk_state_to_name((int)disk_state_decide(&states[i].facts)));
	}
}

static const struct {
	struct disk_facts facts;
	const char *wipe;
	enum disk_act act;
	const char *why;
} acts[] = {
	{ { DISK, ZERO },
	  "",
	  DISK_TAKE,
	  "/dev/sda (serial ZA1, WWN 5000c500a1b2c3d4): nothing: may be taken" },
	{ { DISK, PV, .group = "os" },
	  "",
	  DISK_USE,
	  "/dev/sda (serial ZA1, WWN 5000c500a1b2c3d4): volume group os, made by the original: is "
	  "used" },
	{ { DISK, .table = "gpt" },
	  "",
	  DISK_LEAVE,
	  "/dev/sda (serial ZA1, WWN 5000c500a1b2c3d4): a gpt partition table: left alone; "
	  "cci.wipe=ZA1 would permit to clear it" },
	{ { DISK, .table = "gpt" },
	  "ZA2",
	  DISK_LEAVE,
	  "/dev/sda (serial ZA1, WWN 5000c500a1b2c3d4): a gpt partition table: left alone; "
	  "cci.wipe=ZA1 would permit to clear it; this is not ZA2" },
	{ { DISK, .table = "gpt" },
	  "/dev/sda",
	  DISK_LEAVE,
	  "/dev/sda (serial ZA1, WWN 5000c500a1b2c3d4): a gpt partition table: left alone; "
	  "cci.wipe=ZA1 would permit to clear it; this is not /dev/sda" },
	{ { DISK, .table = "gpt" },
	  "ZA1",
	  DISK_WIPE,
	  "/dev/sda (serial ZA1, WWN 5000c500a1b2c3d4): a gpt partition table: is cleared, once, as "
	  "cci.wipe=ZA1 permits" },
	{ { DISK, .probe = DISK_PROBE_AMBIVALENT },
	  "wwn-0x5000c500a1b2c3d4:2",
	  DISK_WIPE,
	  "/dev/sda (serial ZA1, WWN 5000c500a1b2c3d4): signatures of more than one kind: is "
	  "cleared, once, as cci.wipe=wwn-0x5000c500a1b2c3d4:2 permits" },
	{ { DISK, .table = "gpt",
	    .stamp = { .is_there = true, .n_tokens = 1, .tokens = { "ZA1" } } },
	  "ZA1",
	  DISK_LEAVE,
	  "/dev/sda (serial ZA1, WWN 5000c500a1b2c3d4): a gpt partition table: left alone; "
	  "cci.wipe=ZA1 has been used on it already and counts once; cci.wipe=ZA1:WORD with a new "
	  "word would permit to clear it" },
	{ { DISK, .table = "gpt",
	    .stamp = { .is_there = true, .n_tokens = 1, .tokens = { "ZA1" } } },
	  "ZA1:2",
	  DISK_WIPE,
	  "/dev/sda (serial ZA1, WWN 5000c500a1b2c3d4): a gpt partition table: is cleared, once, as "
	  "cci.wipe=ZA1:2 permits" },
	{ { DISK, .table = "gpt",
	    .stamp = { .is_there = true, .n_tokens = DISK_STAMP_TOKENS_MAX } },
	  "ZA1",
	  DISK_LEAVE,
	  "/dev/sda (serial ZA1, WWN 5000c500a1b2c3d4): a gpt partition table: left alone; "
	  "it has been cleared 16 times by cci.wipe=, which is enough: clear it by hand" },
	{ { DISK, .table = "gpt", .used_by = "/mnt" },
	  "ZA1",
	  DISK_LEAVE,
	  "/dev/sda (serial ZA1, WWN 5000c500a1b2c3d4): in use by /mnt: left alone; nothing permits "
	  "more while it is in use" },
	{ { DISK, PV, .group = "os", .is_group_ours = true },
	  "ZA1",
	  DISK_USE,
	  "/dev/sda (serial ZA1, WWN 5000c500a1b2c3d4): volume group os, ours: is used" },
	{ { DISK, PV, .group = "os" },
	  "ZA1",
	  DISK_USE,
	  "/dev/sda (serial ZA1, WWN 5000c500a1b2c3d4): volume group os, made by the original: is "
	  "used" },
	{ { DISK, .error = "Input/output error" },
	  "ZA1",
	  DISK_LEAVE,
	  "/dev/sda (serial ZA1, WWN 5000c500a1b2c3d4): what is on it cannot be read (Input/output "
	  "error): left alone; nothing permits to clear it" },
	{ { .name = "/dev/vda",
	    .node = "/dev/vda",
	    .whole = "/dev/vda",
	    .size = (uint64_t)1 << 40,
	    .table = "gpt" },
	  "",
	  DISK_LEAVE,
	  "/dev/vda: a gpt partition table: left alone; the kernel reports no serial number and no "
	  "WWN of it, so that nothing permits to clear it" },
	{ { .name = "/dev/vdz", .is_missing = true },
	  "ZA1",
	  DISK_LEAVE,
	  "/dev/vdz: no such device: nothing can be done with it" },
};

static void only_the_number_of_the_disk_permits_to_clear_it(void **state)
{
	for (size_t i = 0; i < ARRAY_SIZE(acts); i++) {
		struct disk_verdict verdict;

		disk_policy_decide(&acts[i].facts, 1, acts[i].wipe, &verdict);
		assert_string_equal(verdict.why, acts[i].why);
		assert_int_equal(verdict.act, acts[i].act);
	}
}

static void a_disk_counts_once(void **state)
{
	const struct disk_facts disks[] = {
		{ DISK, ZERO },
		{ DISK, ZERO },
		{ .name = "/dev/sda1",
		  .node = "/dev/sda1",
		  .whole = "/dev/sda",
		  ZERO,
		  .size = (uint64_t)1 << 40 },
		{ .name = "/dev/sdb1",
		  .node = "/dev/sdb1",
		  .whole = "/dev/sdb",
		  ZERO,
		  .size = (uint64_t)1 << 40 },
		{ .name = "/dev/sdb2",
		  .node = "/dev/sdb2",
		  .whole = "/dev/sdb",
		  ZERO,
		  .size = (uint64_t)1 << 40 },
	};
	struct disk_verdict verdicts[ARRAY_SIZE(disks)];

	disk_policy_decide(disks, ARRAY_SIZE(disks), "", verdicts);
	assert_int_equal(verdicts[0].act, DISK_TAKE);
	assert_int_equal(verdicts[1].act, DISK_LEAVE);
	assert_int_equal(verdicts[2].act, DISK_LEAVE);
	assert_string_equal(verdicts[2].why,
	                    "/dev/sda1: is /dev/sda, which rootfs_disk= has already: counts once");
	assert_int_equal(verdicts[3].act, DISK_TAKE);
	assert_int_equal(verdicts[4].act, DISK_TAKE);
}

static void a_number_that_two_disks_have_is_no_permission(void **state)
{
	struct disk_facts disks[2] = {
		{ DISK, .table = "gpt" },
		{ DISK, .table = "gpt" },
	};
	struct disk_verdict verdicts[2];

	(void)strcpy(disks[1].node, "/dev/sdb");
	(void)strcpy(disks[1].whole, "/dev/sdb");
	disk_policy_decide(disks, 2, "ZA1", verdicts);
	assert_int_equal(verdicts[0].act, DISK_LEAVE);
	assert_int_equal(verdicts[1].act, DISK_LEAVE);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_disk_is_what_is_on_it),
		cmocka_unit_test(only_the_number_of_the_disk_permits_to_clear_it),
		cmocka_unit_test(a_disk_counts_once),
		cmocka_unit_test(a_number_that_two_disks_have_is_no_permission),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

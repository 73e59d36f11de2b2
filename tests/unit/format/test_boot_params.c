/* SPDX-License-Identifier: MulanPSL-2.0 */
#include "tests/support/test.h"

#include "lib/base/macro.h"
#include "lib/format/boot_params.h"

/* The kernel's own line of the seed's log (openEuler 20.03 on an aarch64 machine). */
static const char seed_log[] =
	"vmlinuz-4.19.90-2003.4.0.0036.oe1.aarch64 user=lkp job=/lkp/scheduled/job.yaml ip=dhcp rootovl ro "
	"rdinit=/sbin/init prompt_ramdisk=0 initrd=20210609.0.cgz "
	"initrd=modules-4.19.90-2003.4.0.0036.oe1.aarch64.cgz initrd=run-ipconfig_20200904.cgz "
	"initrd=lkp_20211026.cgz initrd=job.cgz initrd=v2021.09.23.cgz "
	"initrd=2acd9aa658e3a4e6c2a03310d87b7fc2.cgz "
	"rootfs_disk=/dev/disk/by-id/ata-ST8000NM0055-1RM112_ZA1HM4ZK crashkernel=512M";

/* The kernel line of the seed's script for a virtual machine, as the scheduler wrote it. */
static const char seed_script[] =
	"user=lkp job=/lkp/scheduled/job.yaml ip=dhcp rootovl ro rdinit=/sbin/init prompt_ramdisk=0"
	"  initrd=20210609.0.cgz  initrd=modules-4.19.90-2003.4.0.0036.oe1.aarch64.cgz"
	"  initrd=run-ipconfig_20200904.cgz  initrd=lkp_20211026.cgz  initrd=md_20201104.cgz"
	"  initrd=fs_20210412.cgz  initrd=openeuler_docker_20211115.cgz  initrd=1.0-1.cgz  initrd=job.cgz"
	"  initrd=v2021.09.23.cgz  initrd=08624540efe0e8de8b582ee73aef162c.cgz rootfs_disk=/dev/vdb"
	" crashkernel=256M";

static void the_seeds_lines_are_read(void **state)
{
	struct boot_params p;
	struct boot_params_error error;

	assert_int_equal(boot_params_from_cmdline(slice_from_text(seed_log), &p, &error), 0);
	assert_slice_equal(p.user, "lkp");
	assert_slice_equal(p.job, "/lkp/scheduled/job.yaml");
	assert_slice_equal(p.ip, "dhcp");
	assert_true(p.rootovl);
	assert_false(p.local);
	assert_int_equal(p.mode, BOOT_MODE_RO);
	assert_slice_equal(p.rdinit, "/sbin/init");
	assert_int_equal(p.root.kind, ROOT_NONE);
	assert_int_equal(p.n_initrds, 7);
	assert_slice_equal(p.initrds[4], "job.cgz");
	assert_int_equal(p.n_rootfs_disks, 1);
	assert_slice_equal(p.rootfs_disks[0], "/dev/disk/by-id/ata-ST8000NM0055-1RM112_ZA1HM4ZK");
	assert_slice_equal(p.crashkernel, "512M");
}

static void the_seeds_script_line_is_composed_to_the_letter(void **state)
{
	struct boot_params p;
	struct boot_params_error error;
	uint8_t room[4096];
	struct bytes out = BYTES_ON(room);

	assert_int_equal(boot_params_from_cmdline(slice_from_text(seed_script), &p, &error), 0);
	assert_int_equal(p.n_initrds, 11);
	assert_int_equal(boot_params_compose(&p, &out), 0);
	assert_slice_equal(bytes_slice(&out), seed_script);
}

static void every_line_composed_parses_to_the_same_line(void **state)
{
	static const char *const lines[] = {
		"user=lkp job=/lkp/scheduled/job.yaml ip=dhcp rootovl ro root=10.0.0.1:/os/openeuler/aarch64/22.03"
		"  initrd=a.img rootfs_disk=/dev/vda,/dev/vdb crashkernel=auto",
		"user=lkp ip=dhcp local rw os_version=22.03-iso os_partition=/dev/mapper/os-a os_lv_size=20G "
		"root=10.0.0.1:/os/x",
		"local rw use_root_partition=/dev/mapper/os-b save_root_partition=/dev/mapper/os-c root=LABEL=x",
		"rootovl root=live:http://h/r.sqfs cci.root.sha256="
		"0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef cci.root.size=77 "
		"cci.server=http://10.0.0.1:3000 cci.upper=/dev/vda cci.upper.size=50% cci.disk=required "
		"cci.wipe=SER1 cci.migrate cci.timeout=2m cci.onfail=shell cci.retry=0 cci.debug",
		"root=cifs://10.0.0.1/os/x,guest,ro,hard,vers=1.0",
		"",
	};

	for (size_t i = 0; i < ARRAY_SIZE(lines); i++) {
		struct boot_params p;
		struct boot_params_error error;
		uint8_t room[2048];
		struct bytes out = BYTES_ON(room);

		assert_int_equal(boot_params_from_cmdline(slice_from_text(lines[i]), &p, &error),
		                 0);
		assert_int_equal(boot_params_compose(&p, &out), 0);
		assert_slice_equal(bytes_slice(&out), lines[i]);
	}
}

static void words_mean_what_dracut_takes_them_for(void **state)
{
	struct boot_params p;
	struct boot_params_error error;

	assert_int_equal(
		boot_params_from_cmdline(
			SLICE_LITERAL(
				"rootovl=0 local rootfs_disk=/dev/a./dev/b-1.0 os_partition= "
				"root=/dev/vda root=UUID=1 use_root_partition= ro rw cci.debug=off"),
			&p, &error),
		0);
	assert_false(p.rootovl);
	assert_true(p.local);
	assert_int_equal(p.n_rootfs_disks, 2);
	assert_slice_equal(p.rootfs_disks[1], "/dev/b-1.0");
	assert_int_equal(p.os_partition.len, 0);
	assert_int_equal(p.root.kind, ROOT_UUID);
	assert_int_equal(p.mode, BOOT_MODE_RW);
	assert_false(p.debug);
}

static void a_wrong_key_of_ours_is_named(void **state)
{
	static const struct {
		const char *line, *key;
	} cases[] = {
		{ "ro cci.onfail=explode", "cci.onfail" },
		{ "cci.root.sha256=abc", "cci.root.sha256" },
		{ "cci.timeout=soon", "cci.timeout" },
		{ "rootfs_disk=sda", "rootfs_disk" },
		{ "cci.server=ftp://x", "cci.server" },
		{ "cci.root.size=1G", "cci.root.size" },
		{ "root=zfs=tank", "root" },
		{ "root=UUID=", "root" },
	};
	struct boot_params p;
	struct boot_params_error error;

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		assert_int_equal(
			boot_params_from_cmdline(slice_from_text(cases[i].line), &p, &error),
			BOOT_PARAMS_BAD);
		assert_slice_equal(error.key, cases[i].key);
		assert_non_null(error.expected);
	}
}

static void a_value_that_breaks_the_line_is_refused(void **state)
{
	struct boot_params p = BOOT_PARAMS_NULL;
	uint8_t room[256];
	struct bytes out = BYTES_ON(room);

	p.job = SLICE_LITERAL("/x\ninit=/bin/sh");
	assert_int_equal(boot_params_compose(&p, &out), BOOT_PARAMS_BAD);
	p = BOOT_PARAMS_NULL;
	p.custom = SLICE_LITERAL("a\nb");
	out.len = 0;
	assert_int_equal(boot_params_compose(&p, &out), BOOT_PARAMS_BAD);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_seeds_lines_are_read),
		cmocka_unit_test(the_seeds_script_line_is_composed_to_the_letter),
		cmocka_unit_test(every_line_composed_parses_to_the_same_line),
		cmocka_unit_test(words_mean_what_dracut_takes_them_for),
		cmocka_unit_test(a_wrong_key_of_ours_is_named),
		cmocka_unit_test(a_value_that_breaks_the_line_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

/* SPDX-License-Identifier: MulanPSL-2.0 */
/*
 * The boot script of each os_mount, held against Compass-CI's worked examples:
 * root_script/NAME.ipxe is what ccid writes, and without its ways back that is NAME.original. Where
 * the original has no such boot (http, exports of one's own) there is NAME.ipxe alone.
 */
#include "tests/support/script_original.h"

#define KERNEL "5.10.0-60.aarch64"
#define DATED  "22.03-2023-01-01-00-00-00"
#define ISO    "22.03-iso-2023-01-01-00-00-00"
#define SUM    "00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff"

static void put_os(struct world *w, const char *dated, const char *version)
{
	static const char *const files[] = { "vmlinuz-" KERNEL, "modules-" KERNEL ".cgz",
		                             "initramfs.lkp-" KERNEL ".img" };
	char path[256];

	for (size_t i = 0; i < ARRAY_SIZE(files); i++) {
		(void)snprintf(path, sizeof(path), "openeuler/aarch64/%s/boot/%s", dated, files[i]);
		world_put_file(w->os, path, "");
	}
	(void)snprintf(path, sizeof(path), "openeuler/aarch64/%s/boot/vmlinuz", dated);
	world_link(w->os, path, "vmlinuz-" KERNEL);
	(void)snprintf(path, sizeof(path), "openeuler/aarch64/%s/initrd.lkp", dated);
	world_link(w->os, path, "boot/initramfs.lkp-" KERNEL ".img");
	(void)snprintf(path, sizeof(path), "openeuler/aarch64/%s", version);
	world_link(w->os, path, dated);
}

static int set_up(void **state)
{
	const char *deps = "deps/initramfs/openeuler/aarch64/22.03/lkp";
	struct world *w;
	char path[256];

	assert_int_equal(world_set_up(state), 0);
	w = *state;
	put_os(w, DATED, "22.03");
	put_os(w, ISO, "22.03-iso");
	world_put_file(w->os, "openeuler/aarch64/" DATED "/rootfs.squashfs", "squashfs");
	world_put_file(w->os, "openeuler/aarch64/" DATED "/rootfs.squashfs.sha256", SUM "  x\n");
	world_put_file(w->initrd, "osimage/openeuler/aarch64/22.03/20230101.0.cgz", "");
	world_link(w->initrd, "osimage/openeuler/aarch64/22.03/current", "20230101.0.cgz");
	world_put_file(w->initrd, "deps/initramfs/debian/aarch64/sid/run-ipconfig_20200904.cgz",
	               "");
	world_link(w->initrd, "deps/initramfs/debian/aarch64/sid/run-ipconfig.cgz",
	           "run-ipconfig_20200904.cgz");
	(void)snprintf(path, sizeof(path), "%s/lkp_20230101.cgz", deps);
	world_put_file(w->initrd, path, "");
	(void)snprintf(path, sizeof(path), "%s/lkp.cgz", deps);
	world_link(w->initrd, path, "lkp_20230101.cgz");
	world_put_file(w->uploads, "lkp-tests/aarch64/v2021.09.23.cgz", "");
	world_put_file(w->uploads, "lkp-tests/2a/2acd00000000000000000000000000c2.cgz", "");
	world_restart(w);
	original_next_job(w, 42);
	return 0;
}

/* Boots the job of that os_mount, compares the script; with an original, that as well. */
static void check(struct world *w, const char *name, bool has_original, const char *more)
{
	struct world_machine vm = world_machine(w, 0x11);
	char job[1024], path[64];

	world_register(w, "vm-1", vm.mac);
	(void)snprintf(job, sizeof(job),
	               "{\"suite\":\"s\",\"testbox\":\"vm-1\",\"os\":\"openeuler\","
	               "\"os_arch\":\"aarch64\",\"os_version\":\"22.03\","
	               "\"job2sh\":{\"run_job\":[\"true\"]},\"pkg_data\":{\"lkp-tests\":{"
	               "\"tag\":\"v2021.09.23\",\"md5\":\"2acd00000000000000000000000000c2\"}},%s}",
	               more);
	assert_int_equal(world_post(w, "/submit_job", job), 200);
	assert_int_equal(world_boot(w, &vm), 200);
	(void)snprintf(path, sizeof(path), "root_script/%s.ipxe", name);
	golden_compare(path, buffer_slice(&w->answer.body));
	(void)snprintf(path, sizeof(path), "root_script/%s.original", name);
	if (has_original)
		original_assert(buffer_slice(&w->answer.body), path);
}

#define DISK "\"rootfs_disk\":[\"/dev/disk/by-id/ata-X\"],\"crashkernel\":\"512M\""
#define AUTO "\"rootfs_disk\":[\"/dev/vda\"],\"crashkernel\":\"auto\""

static void initramfs(void **state)
{
	check(*state, "initramfs", true, "\"os_mount\":\"initramfs\"," DISK);
}

static void nfs(void **state)
{
	check(*state, "nfs", true, "\"os_mount\":\"nfs\"," AUTO);
}

static void cifs(void **state)
{
	check(*state, "cifs", true, "\"os_mount\":\"cifs\"," AUTO);
}

static void local(void **state)
{
	check(*state, "local", true, "\"os_mount\":\"local\"," DISK);
}

static void local_partition(void **state)
{
	check(*state, "local_partition", true, "\"os_mount\":\"local\",\"os_lv\":\"mydata\"," DISK);
}

static void local_pair(void **state)
{
	check(*state, "local_pair", true,
	      "\"os_mount\":\"local\",\"src_lv_suffix\":\"base1\",\"boot_lv_suffix\":\"run7\","
	      "\"os_lv_size\":\"30G\"," DISK);
}

static void http(void **state)
{
	check(*state, "http", false, "\"os_mount\":\"http\"," AUTO);
}

/* The exports of the configuration, and disks of the host's file. */
static void set_filer(struct world *w)
{
	w->config.exports = (struct boot_exports){ .server = 0x0a000063,
		                                   .nfs_path = "/export/os",
		                                   .nfs_options = "vers=3,nolock",
		                                   .cifs_share = "boot/os",
		                                   .cifs_options = "ro,vers=3.1.1",
		                                   .cifs_user = "lab",
		                                   .cifs_password = "secret" };
	world_restart(w);
	assert_int_equal(world_do(w, HTTP_METHOD_PUT, WORLD_ADMIN, "/v1/hosts/vm-1",
	                          "{\"rootfs_disk\":[\"/dev/vda\",\"/dev/vdb\"]}", NULL),
	                 200);
}

static void nfs_of_a_filer(void **state)
{
	set_filer(*state);
	check(*state, "nfs_filer", false, "\"os_mount\":\"nfs\"");
}

static void cifs_of_a_filer(void **state)
{
	set_filer(*state);
	check(*state, "cifs_filer", false, "\"os_mount\":\"cifs\"");
}

static void local_of_a_filer(void **state)
{
	set_filer(*state);
	check(*state, "local_filer", false, "\"os_mount\":\"local\"");
}

/* What a local boot lacks is said, and mended it boots. */
static void local_that_cannot_boot_says_why(void **state)
{
	struct world *w = *state;
	struct world_machine vm = world_machine(w, 0x11);
	const char *job = "suite: s\ntestbox: vm-1\nos: openeuler\nos_arch: aarch64\n"
			  "os_version: old\nos_mount: local\nscript: 'true'\n";

	put_os(w, "old-iso-1", "old-iso");
	world_register(w, "vm-1", vm.mac);
	assert_int_equal(world_post(w, "/v1/jobs", job), 201);
	assert_int_equal(world_boot(w, &vm), 0);
	assert_int_equal(world_get(w, "/v1/jobs/lab1.42"), 200);
	assert_string_equal(world_text(w, "reason"), "/os/openeuler/aarch64/old-iso-1 ends in no "
	                                             "date as 2026-01-31-23-59-59");
	put_os(w, "old-iso-20260131235959", "old-iso-new");
	world_unlink(w->os, "openeuler/aarch64/old-iso");
	world_link(w->os, "openeuler/aarch64/old-iso", "old-iso-20260131235959");
	assert_int_equal(world_boot(w, &vm), 0);
	assert_int_equal(world_get(w, "/v1/jobs/lab1.42"), 200);
	assert_string_equal(world_text(w, "reason"), "os_mount local needs a disk: name it in "
	                                             "rootfs_disk of the job or of the host");
	assert_int_equal(world_do(w, HTTP_METHOD_PUT, WORLD_ADMIN, "/v1/hosts/vm-1",
	                          "{\"rootfs_disk\":\"/dev/vda\"}", NULL),
	                 200);
	assert_int_equal(world_boot(w, &vm), 200);
	assert_true(world_body_has(w, " rootfs_disk=/dev/vda crashkernel="));
}

#define IN_A_WORLD(f) cmocka_unit_test_setup_teardown(f, set_up, world_tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		IN_A_WORLD(initramfs),
		IN_A_WORLD(nfs),
		IN_A_WORLD(cifs),
		IN_A_WORLD(local),
		IN_A_WORLD(local_partition),
		IN_A_WORLD(local_pair),
		IN_A_WORLD(http),
		IN_A_WORLD(nfs_of_a_filer),
		IN_A_WORLD(cifs_of_a_filer),
		IN_A_WORLD(local_of_a_filer),
		IN_A_WORLD(local_that_cannot_boot_says_why),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

/* SPDX-License-Identifier: MulanPSL-2.0 */
/*
 * The boot scripts of the two machines whose logs the project grew from: the server is given the
 * same files, hosts and jobs, and must hand out the same script. ipxe_script/NAME.ipxe is what it
 * writes; without its ways back and its two lines for the console that is NAME.original, which is
 * the original's text with the line breaks of its document taken out.
 */
#include "tests/support/script_original.h"

#define VERSION "20.03-2021-05-18-15-08-52"
#define KERNEL  "4.19.90-2003.4.0.0036.oe1.aarch64"
#define DEPS    "deps/initramfs/openeuler/aarch64/20.03"

static void put_dep(struct world *w, const char *name, const char *file)
{
	char path[256];

	(void)snprintf(path, sizeof(path), DEPS "/%s/%s", name, file);
	world_put_file(w->initrd, path, "");
	(void)snprintf(path, sizeof(path), DEPS "/%s/%s.cgz", name, name);
	world_link(w->initrd, path, file);
}

static void put_original_files(struct world *w)
{
	const char *pkg = "pkg/initramfs/openeuler/aarch64/20.03/openeuler_docker";
	char path[256];

	world_put_file(w->os, "openeuler/aarch64/" VERSION "/boot/vmlinuz-" KERNEL, "");
	world_put_file(w->os, "openeuler/aarch64/" VERSION "/boot/modules-" KERNEL ".cgz", "");
	world_link(w->os, "openeuler/aarch64/" VERSION "/boot/vmlinuz", "vmlinuz-" KERNEL);
	world_link(w->os, "openeuler/aarch64/20.03", VERSION);
	world_put_file(w->initrd, "osimage/openeuler/aarch64/20.03/20210609.0.cgz", "");
	world_link(w->initrd, "osimage/openeuler/aarch64/20.03/current", "20210609.0.cgz");
	world_put_file(w->initrd, "deps/initramfs/debian/aarch64/sid/run-ipconfig_20200904.cgz",
	               "");
	world_link(w->initrd, "deps/initramfs/debian/aarch64/sid/run-ipconfig.cgz",
	           "run-ipconfig_20200904.cgz");
	put_dep(w, "lkp", "lkp_20211026.cgz");
	put_dep(w, "md", "md_20201104.cgz");
	put_dep(w, "fs", "fs_20210412.cgz");
	put_dep(w, "openeuler_docker", "openeuler_docker_20211115.cgz");
	put_dep(w, "cci", "cci.real.cgz"); /* not taken: lkp's own agent is in its base */
	(void)snprintf(path, sizeof(path), "%s/1.0-1.cgz", pkg);
	world_put_file(w->initrd, path, "");
	(void)snprintf(path, sizeof(path), "%s/latest.cgz", pkg);
	world_link(w->initrd, path, "1.0-1.cgz");
	world_put_file(w->uploads, "lkp-tests/aarch64/v2021.09.23.cgz", "");
	world_put_file(w->uploads, "lkp-tests/08/08624540efe0e8de8b582ee73aef162c.cgz", "");
	world_put_file(w->uploads, "lkp-tests/2a/2acd9aa658e3a4e6c2a03310d87b7fc2.cgz", "");
}

static int set_up(void **state)
{
	struct world *w;

	assert_int_equal(world_set_up(state), 0);
	w = *state;
	put_original_files(w);
	w->config.lab = "z9";
	w->config.boot_server = 0xaca88302; /* 172.168.131.2 */
	world_restart(w);
	original_next_job(w, 13138976);
	return 0;
}

#define JOB(box, more)                                                                             \
	"{\"suite\":\"openeuler_docker\",\"testbox\":\"" box "\",\"os\":\"openeuler\","            \
	"\"os_arch\":\"aarch64\",\"os_version\":\"20.03\",\"os_mount\":\"initramfs\","             \
	"\"job2sh\":{\"run_job\":[\"true\"]}," more "}"

#define PKG_DATA(md5) "\"pkg_data\":{\"lkp-tests\":{\"tag\":\"v2021.09.23\",\"md5\":\"" md5 "\"}}"

static void the_virtual_machine_gets_its_script(void **state)
{
	struct world *w = *state;
	struct world_machine vm = world_machine(w, 0x11);

	world_register(w, "vm-2p8g.a105-3", vm.mac);
	assert_int_equal(
		world_post(w, "/submit_job",
	                   JOB("vm-2p8g.a105-3",
	                       "\"rootfs_disk\":[\"/dev/vdb\"],"
	                       "\"pp\":{\"md\":{},\"fs\":{},\"openeuler_docker\":{}}," PKG_DATA(
				       "08624540efe0e8de8b582ee73aef162c"))),
		200);
	assert_int_equal(world_boot(w, &vm), 200);
	golden_compare("ipxe_script/seed_vm.ipxe", buffer_slice(&w->answer.body));
	original_assert(buffer_slice(&w->answer.body), "ipxe_script/seed_vm.original");
}

static void the_server_gets_its_command_line(void **state)
{
	struct world *w = *state;
	struct world_machine hw = world_machine(w, 0x12);

	world_register(w, "taishan200-2280-2s64p-256g--a105", hw.mac);
	assert_int_equal(world_do(w, HTTP_METHOD_PUT, WORLD_ADMIN,
	                          "/v1/hosts/taishan200-2280-2s64p-256g--a105",
	                          "{\"arch\":\"aarch64\",\"memory\":\"256G\",\"rootfs_disk\":"
	                          "[\"/dev/disk/by-id/ata-ST8000NM0055-1RM112_ZA1HM4ZK\"]}",
	                          NULL),
	                 200);
	assert_int_equal(world_post(w, "/submit_job",
	                            JOB("taishan200-2280-2s64p-256g--a105",
	                                PKG_DATA("2acd9aa658e3a4e6c2a03310d87b7fc2"))),
	                 200);
	assert_int_equal(world_boot(w, &hw), 200);
	golden_compare("ipxe_script/seed_hw.ipxe", buffer_slice(&w->answer.body));
	assert_true(world_body_has(
		w, "vmlinuz-" KERNEL " user=lkp job=/lkp/scheduled/job.yaml ip=dhcp rootovl ro"
		   " rdinit=/sbin/init prompt_ramdisk=0  initrd=20210609.0.cgz"
		   "  initrd=modules-" KERNEL ".cgz  initrd=run-ipconfig_20200904.cgz"
		   "  initrd=lkp_20211026.cgz  initrd=job.cgz  initrd=v2021.09.23.cgz"
		   "  initrd=2acd9aa658e3a4e6c2a03310d87b7fc2.cgz"
		   " rootfs_disk=/dev/disk/by-id/ata-ST8000NM0055-1RM112_ZA1HM4ZK"
		   " crashkernel=512M || goto retry\n"));
}

static void an_idle_machine_gets_a_script_that_waits(void **state)
{
	struct world *w = *state;
	struct world_machine vm = world_machine(w, 0x11);
	struct api_call call = { .path = SLICE_LITERAL("/boot.ipxe/mac/52-54-00-12-34-11"),
		                 .query = SLICE_LITERAL("b=117"),
		                 .peer = vm.address,
		                 .is_held = true,
		                 .held_since = w->now - w->config.hold };

	assert_int_equal(world_call(w, &call), 200);
	golden_compare("ipxe_script/unknown.ipxe", buffer_slice(&w->answer.body));
	call.path = SLICE_LITERAL("/boot.ipxe");
	assert_int_equal(world_call(w, &call), 200);
	golden_compare("ipxe_script/boot.ipxe", buffer_slice(&w->answer.body));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(the_virtual_machine_gets_its_script, set_up,
		                                world_tear_down),
		cmocka_unit_test_setup_teardown(the_server_gets_its_command_line, set_up,
		                                world_tear_down),
		cmocka_unit_test_setup_teardown(an_idle_machine_gets_a_script_that_waits, set_up,
		                                world_tear_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

/* SPDX-License-Identifier: MulanPSL-2.0 */
#include "tests/support/test.h"

#include "lib/base/macro.h"
#include "lib/base/text.h"
#include "lib/doc/document.h"
#include "server/core/boot_script.h"

#define LEAST                                                                                      \
	"suite: s\ntestbox: vm-1\nos: debian\nos_arch: aarch64\nos_version: sid\nscript: 'true'\n"

/* The command line of that job, under facts that `change` may change. */
static void cmdline(const char *job_text, void (*change)(struct boot_script_facts *), int expected,
                    char *to, size_t size)
{
	CLEANUP(document_freep) struct document *doc = NULL;
	CLEANUP(job_freep) struct job *job = NULL;
	static const struct boot_source initrds[] = { { "/initrd/a.cgz", 8800 },
		                                      { "http://elsewhere/b.cgz", 0 } };
	struct boot_script_facts facts = {
		.job_id = "lab1.3",
		.result_root = "/result/x",
		.server = 0x0a000001,
		.api_port = 3000,
		.kernel = { "/os/vmlinuz", 8000 },
		.initrds = initrds,
		.n_initrds = ARRAY_SIZE(initrds),
		.os_path = "/os/debian/aarch64/sid-1",
		.exports = { .nfs_path = "/os",
		             .nfs_options = "",
		             .cifs_share = "os",
		             .cifs_options = "ro,hard,vers=1.0,noacl,nouser_xattr,noserverino",
		             .cifs_user = "",
		             .cifs_password = "" },
		.root_image = "/os/debian/aarch64/sid-1/rootfs.squashfs",
		.root_sha256 = "",
		.os_port = 8000,
	};
	struct document_error document_error;
	struct job_error job_error;
	uint8_t room[BOOT_CMDLINE_MAX];
	struct bytes out = BYTES_ON(room);

	assert_int_equal(document_parse(slice_from_text(job_text), &doc, &document_error), 0);
	if (job_parse(document_root(doc), &job, &job_error) != 0)
		fail_msg("%s", job_error.text);
	facts.job = job;
	if (change)
		change(&facts);
	assert_int_equal(boot_script_cmdline(&facts, &out), expected);
	assert_int_equal(text_copy(to, size, bytes_slice(&out)), 0);
}

#define COMMON  "user=lkp job=/lkp/scheduled/job.yaml ip=dhcp "
#define SERVER  " cci.server=http://10.0.0.1:3000"
#define INITRDS "  initrd=a.cgz  initrd=b.cgz"

static void each_kind_of_root_has_its_words(void **state)
{
	static const struct {
		const char *job, *line;
	} cases[] = {
		{ LEAST "os_mount: initramfs\n", COMMON
		  "rootovl ro rdinit=/sbin/init prompt_ramdisk=0" INITRDS " crashkernel=256M" },
		{ LEAST "os_mount: nfs\n",
		  COMMON "rootovl ro root=10.0.0.1:/os/debian/aarch64/sid-1" INITRDS
		         " crashkernel=256M" SERVER },
		{ LEAST "os_mount: cifs\n", COMMON
		  "rootovl ro root=cifs://10.0.0.1/os/debian/aarch64/sid-1,guest,ro,hard,"
		  "vers=1.0,noacl,nouser_xattr,noserverino" INITRDS " crashkernel=256M" SERVER },
		{ LEAST "os_mount: http\n",
		  COMMON "rootovl ro root=live:http://10.0.0.1:8000/os/debian/aarch64/sid-1/"
		         "rootfs.squashfs" INITRDS " crashkernel=256M" SERVER },
		{ LEAST "os_mount: local\nos_lv: a-b\nos_lv_size: 10G\nrootfs_disk: /dev/vdb\n",
		  COMMON
		  "local rw os_version=sid-iso os_partition=/dev/mapper/os-debian_aarch64_sid_iso_a_b "
		  "os_lv_size=10G "
		  "root=10.0.0.1:/os/debian/aarch64/sid-1" INITRDS
		  " rootfs_disk=/dev/vdb crashkernel=256M" SERVER },
		{ LEAST
		  "os_mount: local\nsrc_lv_suffix: x-1\nboot_lv_suffix: y\nrootfs_disk: /dev/vdb\n",
		  COMMON
		  "local rw os_version=sid-iso "
		  "use_root_partition=/dev/mapper/os-debian_aarch64_sid_iso_x-1 "
		  "save_root_partition=/dev/mapper/os-debian_aarch64_sid_iso_y os_lv_size=20G "
		  "root=10.0.0.1:/os/debian/aarch64/sid-1" INITRDS
		  " rootfs_disk=/dev/vdb crashkernel=256M" SERVER },
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		char line[BOOT_CMDLINE_MAX + 1];

		cmdline(cases[i].job, NULL, 0, line, sizeof(line));
		assert_string_equal(line, cases[i].line);
	}
}

static void on_a_filer(struct boot_script_facts *facts)
{
	facts->exports = (struct boot_exports){ .server = 0x0a000063,
		                                .nfs_path = "/export/os",
		                                .nfs_options = "vers=3,nolock",
		                                .cifs_share = "boot/os",
		                                .cifs_options = "",
		                                .cifs_user = "lab",
		                                .cifs_password = "secret" };
}

static void at_the_root_of_the_server(struct boot_script_facts *facts)
{
	facts->exports.nfs_path = "/";
	facts->exports.cifs_options = "";
}

static void roots_are_where_the_exports_say(void **state)
{
	static const struct {
		const char *job;
		void (*change)(struct boot_script_facts *);
		const char *root;
	} cases[] = {
		{ LEAST "os_mount: nfs\n", on_a_filer,
		  " root=10.0.0.99:/export/os/debian/aarch64/sid-1:vers=3,nolock " },
		{ LEAST "os_mount: local\nrootfs_disk: /dev/vda\n", on_a_filer,
		  " root=10.0.0.99:/export/os/debian/aarch64/sid-1:vers=3,nolock " },
		{ LEAST "os_mount: cifs\n", on_a_filer,
		  " root=cifs://lab:secret@10.0.0.99/boot/os/debian/aarch64/sid-1 " },
		{ LEAST "os_mount: http\n", on_a_filer,
		  " root=live:http://10.0.0.1:8000/os/debian/aarch64/sid-1/rootfs.squashfs " },
		{ LEAST "os_mount: nfs\n", at_the_root_of_the_server,
		  " root=10.0.0.1:/debian/aarch64/sid-1 " },
		{ LEAST "os_mount: cifs\n", at_the_root_of_the_server,
		  " root=cifs://10.0.0.1/os/debian/aarch64/sid-1,guest " },
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		char line[BOOT_CMDLINE_MAX + 1];

		cmdline(cases[i].job, cases[i].change, 0, line, sizeof(line));
		if (!strstr(line, cases[i].root))
			fail_msg("no %s in %s", cases[i].root, line);
	}
}

static void local_without_a_disk_is_refused(void **state)
{
	char line[BOOT_CMDLINE_MAX + 1];

	cmdline(LEAST "os_mount: local\n", NULL, BOOT_SCRIPT_NO_DISK, line, sizeof(line));
}

static void have_32_gib(struct boot_script_facts *facts)
{
	facts->memory = UINT64_C(32) << 30;
}

static void have_16_gib(struct boot_script_facts *facts)
{
	facts->memory = UINT64_C(16) << 30;
}

static void crashkernel_follows_memory_and_job(void **state)
{
	static const struct {
		const char *job;
		void (*change)(struct boot_script_facts *);
		const char *word;
	} cases[] = {
		{ LEAST, NULL, " crashkernel=256M" },
		{ LEAST, have_16_gib, " crashkernel=256M" },
		{ LEAST, have_32_gib, " crashkernel=512M" },
		{ LEAST "crashkernel: auto\n", have_32_gib, " crashkernel=auto" },
		{ LEAST "kernel_params: crashkernel=1G\n", have_32_gib, " crashkernel=1G" },
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		char line[BOOT_CMDLINE_MAX + 1];
		const char *found;

		cmdline(cases[i].job, cases[i].change, 0, line, sizeof(line));
		found = strstr(line, " crashkernel=");
		assert_non_null(found);
		assert_true(strncmp(found, cases[i].word, strlen(cases[i].word)) == 0);
		assert_null(strstr(found + 1, " crashkernel="));
	}
}

static void have_disks(struct boot_script_facts *facts)
{
	facts->host_disks[0] = "/dev/vda";
	facts->host_disks[1] = "/dev/vdb";
	facts->n_host_disks = 2;
}

static void disks_of_the_job_stand_over_those_of_the_host(void **state)
{
	char line[BOOT_CMDLINE_MAX + 1];

	cmdline(LEAST, have_disks, 0, line, sizeof(line));
	assert_non_null(strstr(line, " rootfs_disk=/dev/vda,/dev/vdb "));
	cmdline(LEAST "rootfs_disk: /dev/sda\n", have_disks, 0, line, sizeof(line));
	assert_non_null(strstr(line, " rootfs_disk=/dev/sda "));
}

static void line_that_a_kernel_would_cut_is_refused(void **state)
{
	char job[8192] = LEAST "kernel_params: ", line[BOOT_CMDLINE_MAX + 1];

	for (unsigned i = 0; i < 200; i++)
		strcat(job, "abcdefghij=1 ");
	cmdline(job, NULL, BOOT_SCRIPT_LONG, line, sizeof(line));
}

static void where_to_ask_again_carries_the_session(void **state)
{
	const struct mac mac = { { 0x52, 0x54, 0, 0, 0, 0xab } };
	uint8_t room[128];
	struct bytes out = BYTES_ON(room);

	boot_script_again(0x0a000001, 3000, mac, 77, &out);
	assert_slice_equal(bytes_slice(&out),
	                   "http://10.0.0.1:3000/boot.ipxe/mac/52-54-00-00-00-ab?b=77");
	out.len = 0;
	boot_script_again(0x0a000001, 3000, mac, 0, &out);
	assert_slice_equal(bytes_slice(&out),
	                   "http://10.0.0.1:3000/boot.ipxe/mac/52-54-00-00-00-ab");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_kind_of_root_has_its_words),
		cmocka_unit_test(roots_are_where_the_exports_say),
		cmocka_unit_test(local_without_a_disk_is_refused),
		cmocka_unit_test(crashkernel_follows_memory_and_job),
		cmocka_unit_test(disks_of_the_job_stand_over_those_of_the_host),
		cmocka_unit_test(line_that_a_kernel_would_cut_is_refused),
		cmocka_unit_test(where_to_ask_again_carries_the_session),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

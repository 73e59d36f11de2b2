/* SPDX-License-Identifier: MulanPSL-2.0 */
#include "tests/support/test.h"

#include <stdlib.h>

#include "lib/base/buffer.h"
#include "lib/base/macro.h"
#include "lib/doc/document.h"
#include "lib/doc/job.h"

/* Parses YAML text; returns job_parse's outcome. */
static int parse(const char *text, struct job **ret, struct job_error *error)
{
	CLEANUP(document_freep) struct document *doc = NULL;
	struct document_error document_error;

	assert_int_equal(document_parse(slice_from_text(text), &doc, &document_error), 0);
	return job_parse(document_root(doc), ret, error);
}

static struct job *parse_good(const char *text)
{
	struct job *job = NULL;
	struct job_error error;

	if (parse(text, &job, &error) != 0)
		fail_msg("%s", error.text);
	return job;
}

#define LEAST "suite: hello\ntestbox: vm-2p8g\nscript: uname -a\n"

static void least_job_has_its_defaults(void **state)
{
	CLEANUP(job_freep)
	struct job *job = parse_good("suite: hello\n"
	                             "testbox: vm-2p8g\n"
	                             "os: debian\n"
	                             "os_arch: x86_64\n"
	                             "os_version: bookworm\n"
	                             "os_mount: initramfs\n"
	                             "runtime: 60\n"
	                             "script: |\n"
	                             "  uname -a\n");

	assert_string_equal(job->suite, "hello");
	assert_string_equal(job->tbox_group, "vm-2p8g");
	assert_string_equal(job->os_dir, "debian/x86_64/bookworm");
	assert_string_equal(job->rootfs, "debian-bookworm-x86_64");
	assert_int_equal(job->os_mount, OS_MOUNT_INITRAMFS);
	assert_int_equal(job->on_finish, JOB_NEXT_REBOOT);
	assert_int_equal(job->runtime_sec, 60);
	assert_int_equal(job->timeout_sec, 0);
	assert_int_equal(job_run_seconds(job), 60 + 300 + 7);
	assert_int_equal(job->n_queues, 2);
	assert_string_equal(job->queues[0], "vm-2p8g");
	assert_string_equal(job->queues[1], "vm-2p8g.x86_64");
	assert_string_equal(job->kernel_params, "");
	assert_string_equal(job->pp, "");
	assert_false(job->strict);
	assert_false(job->has_job2sh);
	assert_null(job->kernel_version);
	assert_string_equal(json_string_value(json_object_get(job->doc, "os_dir")), job->os_dir);
}

static void compass_ci_defaults_fill_the_os(void **state)
{
	static const struct {
		const char *more, *os_dir;
	} cases[] = {
		{ "", "openeuler/aarch64/20.03" },
		{ "os: centos\n", "centos/aarch64/7.6.1810" },
		{ "os: debian\nos_arch: x86_64\n", "debian/x86_64/sid" },
		{ "os_arch: x86_64\narch: aarch64\n", "openeuler/aarch64/20.03" },
		{ "os_version: 22.03\n", "openeuler/aarch64/22.03" },
		{ "os: debian\nos_version: 12\n", "debian/aarch64/12" },
		{ "os_mount: local\nos_version: 22.03\n", "openeuler/aarch64/22.03-iso" },
		{ "os_mount: local\nos_version: 22.03-iso\n", "openeuler/aarch64/22.03-iso" },
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		char text[300];
		CLEANUP(job_freep) struct job *job = NULL;

		(void)snprintf(text, sizeof(text), LEAST "%s", cases[i].more);
		job = parse_good(text);
		assert_string_equal(job->os_dir, cases[i].os_dir);
	}
}

static void group_is_cut_from_the_box_or_taken_as_given(void **state)
{
	static const struct {
		const char *box, *group;
		unsigned n_queues;
	} cases[] = {
		{ "testbox: vm-2p8g.taishan--12\n", "vm-2p8g", 2 },
		{ "testbox: taishan200-2280-2s48p-256g--a19\n", "taishan200-2280-2s48p-256g", 1 },
		{ "testbox: vm-1p1g-pxe.a-1\ntbox_group: vm-1p1g-pxe.a\n", "vm-1p1g-pxe.a", 2 },
		{ "tbox_group: dc-8g\n", "dc-8g", 2 },
		{ "testbox: vm-2p8g\nqueue: night\n", "vm-2p8g", 1 },
		{ "testbox: ~\ntbox_group: hw1\n", "hw1", 1 },
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		char text[300];
		CLEANUP(job_freep) struct job *job = NULL;

		(void)snprintf(text, sizeof(text), "suite: x\nscript: x\n%s", cases[i].box);
		job = parse_good(text);
		assert_string_equal(job->tbox_group, cases[i].group);
		assert_int_equal(job->n_queues, cases[i].n_queues);
		assert_non_null(job->testbox);
	}
}

static void mistakes_name_their_field(void **state)
{
	static const struct {
		const char *text, *field, *says;
	} cases[] = {
		{ "[]", "", "job: expected a map" },
		{ "testbox: a\nscript: x\n", "suite", "job.suite: is missing" },
		{ "suite: a\nscript: x\n", "testbox", "job.testbox: is missing" },
		{ "suite: a\ntestbox: b\n", "script", "job.script: is missing" },
		{ LEAST "os_mount: usb\n", "os_mount",
		  "job.os_mount: expected one of initramfs, nfs, cifs, local, http" },
		{ LEAST "os_mount: 3\n", "os_mount", "expected one of" },
		{ LEAST "on_finish: halt\n", "on_finish", "reboot, poweroff" },
		{ LEAST "os: ../etc\n", "os", "expected a name" },
		{ LEAST "os_version: a/b\n", "os_version", "expected a name" },
		{ LEAST "os: gentoo\n", "os_version", "no default for os: gentoo" },
		{ LEAST "os: [a]\n", "os", "expected a text" },
		{ LEAST "arch: a b\n", "arch", "expected a name" },
		{ LEAST "runtime: soon\n", "runtime", "expected seconds" },
		{ LEAST "runtime: -1\n", "runtime", "expected seconds" },
		{ LEAST "timeout: 99999999999\n", "timeout", "expected seconds" },
		{ LEAST "timeout: 366d\n", "timeout", "expected seconds" },
		{ LEAST "priority: high\n", "priority", "expected a number" },
		{ LEAST "priority: 10\n", "priority", "expected a number from 0 to 9" },
		{ LEAST "strict: maybe\n", "strict", "expected true or false" },
		{ LEAST "rootfs_disk: vda\n", "rootfs_disk", "/dev/" },
		{ LEAST "rootfs_disk: [/dev/vda, 3]\n", "rootfs_disk", "/dev/" },
		{ LEAST "rootfs_disk: {a: b}\n", "rootfs_disk", "/dev/" },
		{ LEAST "rootfs_disk: LABEL=\n", "rootfs_disk", "LABEL=" },
		{ LEAST "rootfs_disk: ['LABEL=a b']\n", "rootfs_disk", "LABEL=" },
		{ LEAST "kernel_custom_params: \"a\\nboot\"\n", "kernel_params", "one line" },
		{ LEAST "kernel_custom_params: {a: b}\n", "kernel_custom_params", "words" },
		{ LEAST "boot_params: {a: [1]}\n", "boot_params", "a value must be" },
		{ LEAST "boot_params: {\"a b\": 1}\n", "boot_params", "a key is not" },
		{ LEAST "boot_params: x\n", "boot_params", "a map" },
		{ LEAST "crashkernel: 1 2\n", "crashkernel", "one word" },
		{ LEAST "my_name: \"a\\x01\"\n", "my_name", "one line" },
		{ LEAST "pp: 3\n", "pp", "a map" },
		{ LEAST "agent: other\n", "agent", "cci, lkp" },
		{ LEAST "job2sh: {run_job: []}\n", "script", "beside job2sh" },
		{ "suite: a\ntestbox: b\njob2sh: {extract_stats: []}\n", "job2sh", "no run_job" },
		{ "suite: a\ntestbox: b\njob2sh: []\n", "job2sh", "a map" },
		{ "suite: a\ntestbox: b\nscript: [a]\n", "script", "expected a text" },
		{ "suite: ..\ntestbox: b\nscript: a\n", "suite", "expected a name" },
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct job *job = NULL;
		struct job_error error;

		assert_int_equal(parse(cases[i].text, &job, &error), JOB_BAD);
		assert_null(job);
		assert_string_equal(error.field, cases[i].field);
		if (!strstr(error.text, cases[i].says))
			fail_msg("'%s' does not say '%s'", error.text, cases[i].says);
	}
}

static void fields_with_a_type_are_read(void **state)
{
	CLEANUP(job_freep)
	struct job *job = parse_good("suite: iperf\n"
	                             "testbox: t1\n"
	                             "os_mount: local\n"
	                             "os_version: 22.03\n"
	                             "runtime: 10m\n"
	                             "timeout: 2h\n"
	                             "priority: 7\n"
	                             "strict: true\n"
	                             "on_finish: poweroff\n"
	                             "agent: cci\n"
	                             "kernel_custom_params: ' quiet  a=1 '\n"
	                             "kernel_params: b=2\n"
	                             "boot_params: {bp_hugepages: 8, bp1_nokaslr: ~, c: x, bp: 1}\n"
	                             "crashkernel: 512M\n"
	                             "rootfs_disk: '/dev/sda,/dev/disk/by-id/ata-X'\n"
	                             "os_lv_size: 20G\n"
	                             "src_lv_suffix: ''\n"
	                             "job2sh: {run_job: [a]}\n");

	assert_int_equal(job->runtime_sec, 600);
	assert_int_equal(job_run_seconds(job), 7200);
	assert_int_equal(job->priority, 7);
	assert_true(job->strict);
	assert_true(job->has_job2sh);
	assert_true(job->wants_cci_agent);
	assert_int_equal(job->on_finish, JOB_NEXT_POWEROFF);
	assert_string_equal(job->kernel_params, "quiet  a=1  b=2 hugepages=8 nokaslr c=x bp=1");
	assert_string_equal(job->crashkernel, "512M");
	assert_int_equal(job->n_rootfs_disk, 2);
	assert_string_equal(job->rootfs_disk[1], "/dev/disk/by-id/ata-X");
	assert_int_equal(json_array_size(json_object_get(job->doc, "rootfs_disk")), 2);
	assert_string_equal(job->os_lv_size, "20G");
	assert_null(job->src_lv_suffix);
}

static void a_list_of_disks_is_cut_as_the_command_line_is(void **state)
{
	static const char *const disks[] = { "/dev/sda", "/dev/sdb-1.0", "LABEL=x.y",
		                             "wwn-0x5000c500a1b2c3d4" };
	CLEANUP(job_freep)
	struct job *job = parse_good(LEAST "rootfs_disk: ['/dev/sda./dev/sdb-1.0.LABEL=x.y', "
	                                   "wwn-0x5000c500a1b2c3d4]\n");

	assert_int_equal(job->n_rootfs_disk, ARRAY_SIZE(disks));
	for (size_t i = 0; i < ARRAY_SIZE(disks); i++)
		assert_string_equal(job->rootfs_disk[i], disks[i]);
}

static void result_root_has_the_sorted_parameters(void **state)
{
	static const struct {
		const char *pp, *root;
	} cases[] = {
		{ "{sleep: {runtime: 1}}",
		  "/result/s/2026-11-22/vm-1/openeuler-20.03-aarch64/1/l.1" },
		{ "~", "/result/s/2026-11-22/vm-1/openeuler-20.03-aarch64/l.1" },
		{ "{b: {y: 2, x: tcp}, a: {z: [p q, 3, ~]}}",
		  "/result/s/2026-11-22/vm-1/openeuler-20.03-aarch64/pq-3-tcp-2/l.1" },
		{ "{a: /x/../y, b: ~, c: true}",
		  "/result/s/2026-11-22/vm-1/openeuler-20.03-aarch64/-x-..-y-true/l.1" },
		{ "{a: ..}", "/result/s/2026-11-22/vm-1/openeuler-20.03-aarch64/l.1" },
		{ "{a: 0123456789012345678901234567890123456789X}",
		  "/result/s/2026-11-22/vm-1/openeuler-20.03-aarch64/"
		  "0123456789012345678901234567890123456789/l.1" },
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		char text[300];
		CLEANUP(job_freep) struct job *job = NULL;
		CLEANUP(freep) char *root = NULL;

		(void)snprintf(text, sizeof(text), "suite: s\ntestbox: vm-1\nscript: x\npp: %s\n",
		               cases[i].pp);
		job = parse_good(text);
		root = job_result_root(job, "l.1", "2026-11-22");
		assert_string_equal(root, cases[i].root);
	}
}

static void parsed_again_it_is_the_same_job(void **state)
{
	CLEANUP(job_freep)
	struct job *job =
		parse_good(LEAST "os_mount: local\narch: x86_64\nrootfs_disk: /dev/vda\n"
	                         "os_version: 12\nboot_params: {bp_a: 1}\nunknown: {x: [1, ~]}\n");
	CLEANUP(job_freep) struct job *again = NULL;
	struct job_error error;

	assert_int_equal(job_parse(job->doc, &again, &error), 0);
	assert_true(json_equal(job->doc, again->doc));
	assert_string_equal(job->kernel_params, again->kernel_params);
	assert_string_equal(job->os_dir, again->os_dir);
	assert_int_equal(json_object_size(json_object_get(again->doc, "unknown")), 1);
}

static void what_is_submitted_is_not_changed(void **state)
{
	CLEANUP(document_freep) struct document *doc = NULL;
	CLEANUP(job_freep) struct job *job = NULL;
	struct document_error document_error;
	struct job_error error;

	assert_int_equal(
		document_parse(SLICE_LITERAL(LEAST "os_version: 12\n"), &doc, &document_error), 0);
	assert_int_equal(job_parse(document_root(doc), &job, &error), 0);
	assert_true(json_is_integer(json_object_get(document_root(doc), "os_version")));
	assert_int_equal(json_object_size(document_root(doc)), 4);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(least_job_has_its_defaults),
		cmocka_unit_test(compass_ci_defaults_fill_the_os),
		cmocka_unit_test(group_is_cut_from_the_box_or_taken_as_given),
		cmocka_unit_test(mistakes_name_their_field),
		cmocka_unit_test(fields_with_a_type_are_read),
		cmocka_unit_test(a_list_of_disks_is_cut_as_the_command_line_is),
		cmocka_unit_test(result_root_has_the_sorted_parameters),
		cmocka_unit_test(parsed_again_it_is_the_same_job),
		cmocka_unit_test(what_is_submitted_is_not_changed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

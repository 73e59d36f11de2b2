/* SPDX-License-Identifier: MulanPSL-2.0 */
#include "tests/support/test.h"

#include "initramfs/fstab.h"
#include "lib/base/macro.h"

static const struct {
	const char *line;
	bool stays;
} lines[] = {
	{ "# a comment / ext4", true },
	{ "", true },
	{ "   ", true },
	{ "UUID=11-22 / ext4 defaults 0 1", false },
	{ "overlay / overlay rw 0 0", false },
	{ "tmpfs // tmpfs rw 0 0", false },
	{ "10.0.0.1:/usr /usr/ nfs ro 0 0", false },
	{ "LABEL=home\t/home\text4\tdefaults", false },
	{ "/dev/sda1 /boot ext4 defaults 0 2", false },
	{ "PARTLABEL=data /data xfs defaults,nofail 0 0", true },
	{ "PARTUUID=data /data xfs defaults,nofailing 0 0", false },
	{ "/dev/sr0 /media udf ro,noauto 0 0", true },
	{ "/dev/shm /mnt none bind 0 0", true },
	{ "/swapfile none swap sw 0 0", false },
	{ "/swapfile swap auto sw 0 0", false },
	{ "tmpfs /tmp tmpfs rw,size=1G 0 0", true },
	{ "tmpfs /x tmpfs rw,x-initrd.mount 0 0", false },
	{ "10.0.0.1:/home /home nfs rw 0 0", true },
	{ "proc /proc proc defaults 0 0", true },
	{ "/usrlocal /usr/local none rbind", true },
};

static void each_line_stays_or_goes(void **state)
{
	for (size_t i = 0; i < ARRAY_SIZE(lines); i++) {
		struct buffer out = BUFFER_NULL;

		assert_int_equal(fstab_filter(slice_from_text(lines[i].line), &out),
		                 !lines[i].stays);
		assert_slice_equal(buffer_slice(&out), lines[i].stays ? lines[i].line : "");
		buffer_deinit(&out);
	}
}

static void a_file_is_filtered_line_by_line_and_twice_changes_nothing(void **state)
{
	static const char file[] = "# top\nUUID=1 / ext4 rw 0 1\ntmpfs /tmp tmpfs rw 0 0\n\n"
				   "UUID=2 /usr ext4 ro 0 0\nUUID=3 none swap sw 0 0";
	struct buffer out = BUFFER_NULL, again = BUFFER_NULL;

	assert_int_equal(fstab_filter(slice_from_text(file), &out), 3);
	assert_slice_equal(buffer_slice(&out), "# top\ntmpfs /tmp tmpfs rw 0 0\n\n");
	assert_int_equal(fstab_filter(buffer_slice(&out), &again), 0);
	assert_true(slice_equal(buffer_slice(&out), buffer_slice(&again)));
	buffer_deinit(&out);
	buffer_deinit(&again);
}

static const struct {
	const char *line, *relaxed; /* NULL: systemd would not wait for it */
} waiting[] = {
	{ "# UUID=1 /home ext4 defaults 0 2\n", NULL },
	{ "\n", NULL },
	{ "UUID=1 / ext4 defaults 0 1\n", NULL },
	{ "UUID=1 // ext4 defaults 0 1\n", NULL },
	{ "tmpfs /tmp tmpfs size=1G 0 0\n", NULL },
	{ "10.0.0.1:/home /home nfs rw 0 0\n", NULL },
	{ "/dev/sdb1 /data xfs rw,nofail 0 0\n", NULL },
	{ "/dev/sr0 /media udf ro,noauto 0 0\n", NULL },
	{ "/dev/shm /mnt none bind 0 0\n", NULL },
	{ "UUID=1 /usr ext4 ro 0 2\n",
	  "UUID=1 /usr ext4 ro,nofail,x-systemd.device-timeout=10s 0 2\n" },
	{ "LABEL=s\tnone\tswap\tsw\t0\t0\n",
	  "LABEL=s\tnone\tswap\tsw,nofail,x-systemd.device-timeout=10s\t0\t0\n" },
	{ "/dev/vdz /x ext4 x-initrd.mount",
	  "/dev/vdz /x ext4 x-initrd.mount,nofail,x-systemd.device-timeout=10s" },
	{ "/dev/vdz /x ext4  \n", "/dev/vdz /x ext4 nofail,x-systemd.device-timeout=10s\n" },
	{ "/dev/vdz /x", "/dev/vdz /x auto nofail,x-systemd.device-timeout=10s\n" },
};

static void a_line_that_would_wait_is_relaxed_and_then_does_not(void **state)
{
	for (size_t i = 0; i < ARRAY_SIZE(waiting); i++) {
		struct slice text = slice_from_text(waiting[i].line), again;
		struct buffer out = BUFFER_NULL;
		struct fstab_line line;

		assert_true(fstab_next(&text, &line));
		assert_int_equal(fstab_line_waits(&line), waiting[i].relaxed != NULL);
		if (!waiting[i].relaxed)
			continue;
		fstab_append_relaxed(&line, &out);
		assert_slice_equal(buffer_slice(&out), waiting[i].relaxed);
		again = buffer_slice(&out);
		assert_true(fstab_next(&again, &line));
		assert_false(fstab_line_waits(&line));
		buffer_deinit(&out);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_line_stays_or_goes),
		cmocka_unit_test(a_line_that_would_wait_is_relaxed_and_then_does_not),
		cmocka_unit_test(a_file_is_filtered_line_by_line_and_twice_changes_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

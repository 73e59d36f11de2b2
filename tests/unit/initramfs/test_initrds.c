/* SPDX-License-Identifier: MulanPSL-2.0 */
#include "tests/support/test.h"

#include "initramfs/initrds.h"
#include "lib/base/macro.h"

static void each_known_archive_has_a_witness(void **state)
{
	static const struct {
		const char *line, *name, *first, *second;
		bool is_job;
	} cases[] = {
		{ "initrd=job.cgz", "job.cgz", "/lkp/scheduled/job.sh", "", true },
		{ "a  initrd=EFI/x/job.cgz", "job.cgz", "/lkp/scheduled/job.sh", "", true },
		{ "initrd=\\EFI\\job.cgz b", "job.cgz", "/lkp/scheduled/job.sh", "", true },
		{ "initrd=cci.cgz", "cci.cgz", "/custom_bootstrap/usr/lib/cci/lkp-bootstrap",
		  "/usr/lib/cci/lkp-bootstrap", false },
		{ "initrd=modules-6.1.0-1.cgz", "modules-6.1.0-1.cgz",
		  "/lib/modules/6.1.0-1/modules.order", "", false },
		{ "initrd=initramfs.lkp-6.1.img", "initramfs.lkp-6.1.img", "/usr/bin/cci-init", "",
		  false },
		{ "initrd=v2021.09.23.cgz", "v2021.09.23.cgz", "", "", false },
		{ "initrd=job.cgz.old", "job.cgz.old", "", "", false },
		{ "initrd=myjob.cgz", "myjob.cgz", "", "", false },
		{ "initrd=modules-", "modules-", "", "", false },
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct slice line = slice_from_text(cases[i].line);
		struct initrd initrd;

		assert_true(initrds_next(&line, &initrd));
		assert_slice_equal(initrd.name, cases[i].name);
		assert_string_equal(initrd.witness[0], cases[i].first);
		assert_string_equal(initrd.witness[1], cases[i].second);
		assert_int_equal(initrd.is_job, cases[i].is_job);
		assert_false(initrds_next(&line, &initrd));
	}
}

static void a_line_is_walked_in_its_order(void **state)
{
	struct slice line = SLICE_LITERAL(
		"user=lkp root=live:http://h/x  initrd=initramfs.lkp-6.img  initrd=a.cgz initrd= "
		"noinitrd=b.cgz initrd  initrd=job.cgz cci.debug");
	static const char *const names[] = { "initramfs.lkp-6.img", "a.cgz", "job.cgz" };
	struct initrd initrd;

	for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
		assert_true(initrds_next(&line, &initrd));
		assert_slice_equal(initrd.name, names[i]);
	}
	assert_false(initrds_next(&line, &initrd));
}

static void a_name_that_is_too_long_has_no_witness(void **state)
{
	char text[400] = "initrd=modules-";
	struct slice line;
	struct initrd initrd;

	memset(text + strlen(text), 'x', 300);
	strcat(text, ".cgz");
	line = slice_from_text(text);
	assert_true(initrds_next(&line, &initrd));
	assert_string_equal(initrd.witness[0], "");
}

static void an_account_is_a_line_each(void **state)
{
	uint8_t room[128];
	struct bytes out = BYTES_ON(room);
	struct initrd initrd = { .name = SLICE_LITERAL("job.cgz") };

	initrds_append(&out, &initrd, INITRD_MISSING);
	initrd.name = SLICE_LITERAL("a\x1b");
	initrds_append(&out, &initrd, INITRD_HERE);
	initrds_append(&out, &initrd, INITRD_UNKNOWN);
	assert_slice_equal(bytes_slice(&out), "missing job.cgz\nhere a\\x1b\nunknown a\\x1b\n");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_known_archive_has_a_witness),
		cmocka_unit_test(a_line_is_walked_in_its_order),
		cmocka_unit_test(a_name_that_is_too_long_has_no_witness),
		cmocka_unit_test(an_account_is_a_line_each),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

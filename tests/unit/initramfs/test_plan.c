/* SPDX-License-Identifier: MulanPSL-2.0 */
/*
 * What the golden lines do not show: tests/golden/plan has some hundred whole command lines.
 */
#include "tests/support/test.h"

#include "initramfs/plan.h"
#include "initramfs/print_plan.h"
#include "initramfs/units.h"

static const struct plan_facts facts = { .networkd = true };

static void a_line_that_does_not_ask_leaves_the_plan_alone(void **state)
{
	struct plan plan;

	memset(&plan, 0x5a, sizeof(plan));
	assert_int_equal(plan_from_cmdline(SLICE_LITERAL("root=/dev/vda ro"), &facts, &plan),
	                 PLAN_NOT_OURS);
	assert_int_equal(plan.refused[0], 0x5a);
	assert_int_equal(plan_from_cmdline(SLICE_NULL, &facts, &plan), PLAN_NOT_OURS);
}

static void a_wrong_key_leaves_the_others_their_say(void **state)
{
	struct plan plan;

	assert_int_equal(plan_from_cmdline(
				 SLICE_LITERAL("root=LABEL=x rootovl cci.retry=many cci.timeout=5s "
	                                       "cci.onfail=poweroff cci.retry=lots "
	                                       "cci.server=http://10.0.0.1:3000"),
				 &facts, &plan),
	                 PLAN_REFUSED);
	assert_string_equal(plan.refused, "cci.retry=many: expected a number from 0 to 1000");
	assert_int_equal(plan.kind, PLAN_NONE);
	assert_int_equal(plan.onfail, BOOT_ONFAIL_POWEROFF);
	assert_int_equal(plan.timeout, 5 * USEC_PER_SEC);
	assert_int_equal(plan.retry, BOOT_RETRY_DEFAULT);
	assert_string_equal(plan.server, "http://10.0.0.1:3000");
}

static void a_password_is_not_shown(void **state)
{
	static struct units units;
	static uint8_t room[16384];
	struct bytes steps = BYTES_ON(room);
	struct plan plan;

	assert_int_equal(plan_from_cmdline(
				 SLICE_LITERAL("root=cifs://me:secret@h/share,pass=secret rootovl"),
				 &facts, &plan),
	                 0);
	assert_string_equal(plan.source, "cifs://h/share");
	assert_string_equal(plan.net_password, "secret");
	units_make(&plan, &units);
	assert_null(memmem(units.text, units.text_len, "secret", 6));
	print_plan_steps(&plan, &steps);
	assert_null(memmem(steps.data, steps.len, "secret", 6));
}

static void a_line_longer_than_any_kernel_takes_is_refused(void **state)
{
	static char line[6000];
	struct plan plan;

	memset(line, ' ', sizeof(line) - 1);
	memcpy(line, "root=LABEL=x", 12);
	memcpy(line + 5000, "rootovl", 7);
	assert_int_equal(plan_from_cmdline(slice_from_text(line), &facts, &plan), PLAN_REFUSED);
	assert_int_equal(plan.onfail, BOOT_ONFAIL_REBOOT);
	assert_true(plan.timeout >= USEC_PER_SEC);
}

static void the_initramfs_as_system_is_known(void **state)
{
	assert_true(plan_is_stray_initrd(SLICE_LITERAL("rootovl rdinit=/sbin/init")));
	assert_true(plan_is_stray_initrd(SLICE_LITERAL("rdinit=/sbin/init root=")));
	assert_false(plan_is_stray_initrd(SLICE_LITERAL("rdinit=/sbin/init root=/dev/vda")));
	assert_false(plan_is_stray_initrd(SLICE_LITERAL("rdinit= ro")));
}

static void parameters_without_a_root_are_nobodys(void **state)
{
	struct boot_params params = BOOT_PARAMS_NULL;
	struct plan plan;

	params.rootovl = true;
	assert_int_equal(plan_decide(&params, &facts, &plan), PLAN_NOT_OURS);
}

static void names_go_both_ways(void **state)
{
	for (int i = 0; i < _PLAN_KIND_MAX; i++)
		assert_int_equal(plan_kind_from_name(slice_from_text(plan_kind_to_name(i))), i);
	assert_int_equal(plan_kind_from_name(SLICE_LITERAL("zfs")), -1);
	assert_int_equal(plan_onfail_from_name(SLICE_LITERAL("shell")), BOOT_ONFAIL_SHELL);
	assert_int_equal(plan_upper_from_name(SLICE_LITERAL("device")), PLAN_UPPER_DEVICE);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_line_that_does_not_ask_leaves_the_plan_alone),
		cmocka_unit_test(a_wrong_key_leaves_the_others_their_say),
		cmocka_unit_test(a_password_is_not_shown),
		cmocka_unit_test(a_line_longer_than_any_kernel_takes_is_refused),
		cmocka_unit_test(the_initramfs_as_system_is_known),
		cmocka_unit_test(parameters_without_a_root_are_nobodys),
		cmocka_unit_test(names_go_both_ways),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

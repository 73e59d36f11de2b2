/* SPDX-License-Identifier: MulanPSL-2.0 */
#include "tests/support/test.h"

#include "initramfs/form.h"

static void fields_are_joined_and_escaped(void **state)
{
	struct buffer out = BUFFER_NULL;

	form_append(&out, "stage", SLICE_LITERAL("initramfs"));
	form_append(&out, "cause", SLICE_LITERAL("a b&c=d%\n\xff~*-._"));
	form_append(&out, "empty", SLICE_NULL);
	form_append_u64(&out, "uptime_ms", UINT64_MAX);
	assert_slice_equal(buffer_slice(&out),
	                   "stage=initramfs&cause=a+b%26c%3Dd%25%0A%FF%7E*-._&empty="
	                   "&uptime_ms=18446744073709551615");
	buffer_deinit(&out);
}

static void a_nul_is_escaped_as_any_other_byte(void **state)
{
	struct buffer out = BUFFER_NULL;

	form_append(&out, "x", slice_make("\0", 1));
	assert_slice_equal(buffer_slice(&out), "x=%00");
	buffer_deinit(&out);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(fields_are_joined_and_escaped),
		cmocka_unit_test(a_nul_is_escaped_as_any_other_byte),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

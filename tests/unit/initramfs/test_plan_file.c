/* SPDX-License-Identifier: MulanPSL-2.0 */
#include "tests/support/test.h"

#include "initramfs/plan_file.h"

#define GOOD                                                                                       \
	"kind=device\ndevice=/dev/vda\noverlay=yes\nupper=tmpfs\nupper_size=50%\n"                 \
	"timeout=60000000\nretry=3\nonfail=poweroff\n"

static void a_file_is_read(void **state)
{
	struct plan plan;
	unsigned line;

	assert_int_equal(plan_read(SLICE_LITERAL(GOOD "\nlater=unknown\n"), &plan, &line), 0);
	assert_int_equal(plan.kind, PLAN_DEVICE);
	assert_string_equal(plan.device, "/dev/vda");
	assert_true(plan.overlay);
	assert_int_equal(plan.timeout, 60 * USEC_PER_SEC);
	assert_int_equal(plan.retry, 3);
	assert_int_equal(plan.onfail, BOOT_ONFAIL_POWEROFF);
	assert_string_equal(plan.url, "");
}

static void a_wrong_line_is_named(void **state)
{
	static const struct {
		const char *text;
		unsigned line;
	} cases[] = {
		{ "kind=device\nwithout equals\n", 2 },
		{ "kind=floppy\n", 1 },
		{ "kind=http\nsize=ten\n", 2 },
		{ "kind=http\noverlay=maybe\n", 2 },
		{ "kind=http\nretry=99999999999\n", 2 },
		{ "kind=http\nsha256=0123456789012345678901234567890123456789012345678901234567890"
		  "123456789\n",
		  2 },
		{ "kind=http\nurl=a\x01z\n", 2 },
		{ "overlay=yes\n", 1 }, /* no kind at all */
		{ "", 0 },
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct plan plan;
		unsigned line = 99;

		assert_int_equal(plan_read(slice_from_text(cases[i].text), &plan, &line),
		                 PLAN_FILE_BAD);
		assert_int_equal(line, cases[i].line);
	}
}

static void the_longest_plan_fits(void **state)
{
	static struct plan plan, read;
	uint8_t room[PLAN_FILE_MAX];
	struct bytes out = BYTES_ON(room);
	unsigned line;

	plan.kind = PLAN_HTTP;
	memset(plan.refused, 'r', sizeof(plan.refused) - 1);
	memset(plan.source, 's', sizeof(plan.source) - 1);
	memset(plan.url, 'u', sizeof(plan.url) - 1);
	memset(plan.sha256, 'a', sizeof(plan.sha256) - 1);
	memset(plan.device, 'd', sizeof(plan.device) - 1);
	memset(plan.net_server, 's', sizeof(plan.net_server) - 1);
	memset(plan.net_path, 'p', sizeof(plan.net_path) - 1);
	memset(plan.net_options, 'o', sizeof(plan.net_options) - 1);
	memset(plan.net_user, 'u', sizeof(plan.net_user) - 1);
	memset(plan.net_password, 'w', sizeof(plan.net_password) - 1);
	plan.nfs_version = INT32_MAX;
	memset(plan.upper_device, 'd', sizeof(plan.upper_device) - 1);
	memset(plan.upper_size, '1', sizeof(plan.upper_size) - 1);
	memset(plan.server, 'h', sizeof(plan.server) - 1);
	plan.size = INT64_MAX;
	plan.timeout = INT64_MAX;
	plan.retry = INT32_MAX;
	plan_write(&plan, &out);
	assert_false(out.overflow);
	assert_int_equal(plan_read(bytes_slice(&out), &read, &line), 0);
	assert_memory_equal(&plan, &read, sizeof(plan));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_file_is_read),
		cmocka_unit_test(a_wrong_line_is_named),
		cmocka_unit_test(the_longest_plan_fits),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

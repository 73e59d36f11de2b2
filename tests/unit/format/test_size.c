/* SPDX-License-Identifier: MulanPSL-2.0 */
#include "tests/support/test.h"

#include "lib/base/macro.h"
#include "lib/format/size.h"

static void sizes_read_and_print(void **state)
{
	static const struct {
		const char *text;
		uint64_t bytes;
		const char *printed;
	} cases[] = {
		{ "0", 0, "0" },        { "512", 512, "512" },
		{ "1024", 1024, "1K" }, { "10G", UINT64_C(10) << 30, "10G" },
		{ "10gib", 0, NULL },   { "10GiB", UINT64_C(10) << 30, "10G" },
		{ "4KB", 4096, "4K" },  { "1536", 1536, "1536" },
	};
	char text[SIZE_TEXT_MAX];
	uint64_t bytes;

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		int r = size_parse(slice_from_text(cases[i].text), &bytes);

		assert_int_equal(r, cases[i].printed ? 0 : SIZE_BAD);
		if (!cases[i].printed)
			continue;
		assert_true(bytes == cases[i].bytes);
		assert_string_equal(size_format(bytes, text), cases[i].printed);
	}
}

static void nonsense_is_refused(void **state)
{
	static const char *const bad[] = { "",    "G",   "-1",           "1.5G",
		                           "1 G", "1GG", "99999999999T", "10x" };
	uint64_t n;

	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		assert_int_equal(size_parse(slice_from_text(bad[i]), &n), SIZE_BAD);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(sizes_read_and_print),
		cmocka_unit_test(nonsense_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

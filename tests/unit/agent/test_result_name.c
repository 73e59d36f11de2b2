/* SPDX-License-Identifier: MulanPSL-2.0 */
#include "tests/support/test.h"

#include "agent/result_name.h"
#include "lib/base/macro.h"

static void paths_become_one_component(void **state)
{
	static const struct {
		const char *path;
		unsigned n;
		const char *name;
	} cases[] = {
		{ "output", 0, "output" },
		{ "output", 2, "output.2" },
		{ "dir/sub/file.gz", 0, "dir-sub-file.gz" },
		{ ".hidden", 0, "_hidden" },
		{ "..", 0, "_." },
		{ "a/.b", 0, "a-.b" },
		{ "a\nb\x7f", 0, "a_b_" },
		{ "\xc3\xa9t\xc3\xa9", 0, "\xc3\xa9t\xc3\xa9" },
		{ "\xe2\x82\xac\xf0\x9f\x98\x80", 0, "\xe2\x82\xac\xf0\x9f\x98\x80" },
		{ "bad\xff\xc3", 0, "bad__" },
		{ "\xc0\xaf\xed\xa0\x80\xf4\x90\x80\x80\xe0\x80\xaf", 0, "____________" },
		{ "100% sure", 0, "100% sure" },
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		char name[RESULT_NAME_MAX + 1];

		result_name_make(name, slice_from_text(cases[i].path), cases[i].n);
		assert_string_equal(name, cases[i].name);
	}
}

static void long_paths_are_cut_between_characters(void **state)
{
	char path[600], name[RESULT_NAME_MAX + 1];

	memset(path, 'x', sizeof(path));
	result_name_make(name, slice_make(path, sizeof(path)), 0);
	assert_int_equal(strlen(name), RESULT_NAME_MAX);
	result_name_make(name, slice_make(path, sizeof(path)), 17);
	assert_int_equal(strlen(name), RESULT_NAME_MAX);
	assert_string_equal(name + RESULT_NAME_MAX - 3, ".17");
	for (size_t i = 0; i < sizeof(path); i += 2)
		memcpy(path + i, "\xc3\xa9", 2);
	result_name_make(name, slice_make(path, sizeof(path)), 1);
	assert_string_equal(name + strlen(name) - 4, "\xc3\xa9.1");
}

static void names_are_encoded_for_a_url(void **state)
{
	char array[100];
	struct bytes to = BYTES_ON(array);

	result_name_encode(&to, "a-b.c_d~e f%/\xc3\xa9?#");
	assert_slice_equal(bytes_slice(&to), "a-b.c_d~e%20f%25%2F%C3%A9%3F%23");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(paths_become_one_component),
		cmocka_unit_test(long_paths_are_cut_between_characters),
		cmocka_unit_test(names_are_encoded_for_a_url),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

/* SPDX-License-Identifier: MulanPSL-2.0 */
#include "tests/support/test.h"

#include "lib/base/macro.h"
#include "lib/format/attempt_file.h"

static void attempt_file_reads_back_what_was_written(void **state)
{
	const struct attempt_file file = {
		.server = "http://10.0.0.1:3000",
		.job = "lab1.3",
		.attempt = "7",
		.token = "s3cret",
		.host = "vm-1",
		.upload = "http://10.0.0.1:3080/v1/attempts/7/files/",
	};
	struct attempt_file again;
	struct buffer out = BUFFER_NULL;

	attempt_file_build(&out, &file);
	assert_slice_equal(buffer_slice(&out),
	                   "server=http://10.0.0.1:3000\njob=lab1.3\nattempt=7\ntoken=s3cret\n"
	                   "host=vm-1\nupload=http://10.0.0.1:3080/v1/attempts/7/files/\n");
	assert_int_equal(attempt_file_parse(buffer_slice(&out), &again), 0);
	assert_string_equal(again.upload, file.upload);
	assert_string_equal(again.token, file.token);
	buffer_deinit(&out);
}

static void attempt_file_is_read_with_tolerance(void **state)
{
	struct attempt_file file;

	assert_int_equal(
		attempt_file_parse(SLICE_LITERAL("# made by hand\n\nserver=http://h:1//\r\n"
	                                         "new=thing\ntoken=a=b\nattempt=12"),
	                           &file),
		0);
	assert_string_equal(file.server, "http://h:1");
	assert_string_equal(file.token, "a=b");
	assert_string_equal(file.upload, "http://h:1/v1/attempts/12/files/");
}

static void attempt_file_without_the_needed_is_refused(void **state)
{
	static const char *const bad[] = {
		"",
		"server=http://h\nattempt=1\n",
		"server=http://h\ntoken=t\n",
		"attempt=1\ntoken=t\n",
		"server=/\nattempt=1\ntoken=t\n",
		"server=http://h\nattempt=../1\ntoken=t\n",
		"server=http://h\nattempt=1\ntoken=t x\n",
		"server=http://h\nattempt=1\ntoken=t\x01\n",
	};

	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		struct attempt_file file;

		assert_int_equal(attempt_file_parse(slice_from_text(bad[i]), &file),
		                 ATTEMPT_FILE_BAD);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(attempt_file_reads_back_what_was_written),
		cmocka_unit_test(attempt_file_is_read_with_tolerance),
		cmocka_unit_test(attempt_file_without_the_needed_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

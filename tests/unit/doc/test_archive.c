/* SPDX-License-Identifier: MulanPSL-2.0 */
#include "tests/support/test.h"

#include <sys/stat.h>

#include <archive.h>
#include <archive_entry.h>

#include "lib/base/macro.h"
#include "lib/doc/archive.h"

static const struct archive_member members[] = {
	{ "lkp", S_IFDIR | 0755, { NULL, 0 } },
	{ "lkp/job.sh", S_IFREG | 0775, { (const uint8_t *)"echo\n", 5 } },
	{ "lkp/empty", S_IFREG | 0600, { NULL, 0 } },
};

static void archive_reads_back_with_its_modes(void **state)
{
	struct buffer out = BUFFER_NULL;
	struct archive *a = archive_read_new();
	struct archive_entry *entry;
	char content[16];

	assert_int_equal(archive_build_cgz(members, ARRAY_SIZE(members), &out), 0);
	assert_int_equal(out.data[0], 0x1f); /* gzip */
	assert_int_equal(out.data[1], 0x8b);
	assert_int_equal(get_be32(out.data + 4), 0); /* without a time stamp */
	(void)archive_read_support_filter_gzip(a);
	(void)archive_read_support_format_cpio(a);
	assert_int_equal(archive_read_open_memory(a, out.data, out.len), ARCHIVE_OK);
	for (size_t i = 0; i < ARRAY_SIZE(members); i++) {
		assert_int_equal(archive_read_next_header(a, &entry), ARCHIVE_OK);
		assert_string_equal(archive_entry_pathname(entry), members[i].path);
		assert_int_equal(archive_entry_mode(entry), members[i].mode);
		assert_int_equal(archive_entry_uid(entry), 0);
		assert_int_equal(archive_read_data(a, content, sizeof(content)),
		                 members[i].content.len);
	}
	assert_int_equal(archive_read_next_header(a, &entry), ARCHIVE_EOF);
	(void)archive_read_free(a);
	buffer_deinit(&out);
}

static void archive_is_the_same_each_time(void **state)
{
	struct buffer one = BUFFER_NULL, two = BUFFER_NULL;

	assert_int_equal(archive_build_cgz(members, ARRAY_SIZE(members), &one), 0);
	assert_int_equal(archive_build_cgz(members, ARRAY_SIZE(members), &two), 0);
	assert_true(slice_equal(buffer_slice(&one), buffer_slice(&two)));
	buffer_deinit(&one);
	buffer_deinit(&two);
}

static void limit_of_the_buffer_is_kept(void **state)
{
	struct buffer out = { .max = 20 };

	assert_int_equal(archive_build_cgz(members, ARRAY_SIZE(members), &out), -ENOMEM);
	assert_true(out.len <= 20);
	buffer_deinit(&out);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(archive_reads_back_with_its_modes),
		cmocka_unit_test(archive_is_the_same_each_time),
		cmocka_unit_test(limit_of_the_buffer_is_kept),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

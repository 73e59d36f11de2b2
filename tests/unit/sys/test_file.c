/* SPDX-License-Identifier: MulanPSL-2.0 */
#include "tests/support/test.h"

#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/base/macro.h"
#include "lib/sys/fd.h"
#include "lib/sys/file.h"

static char directory[] = "/tmp/cci-test-XXXXXX";
static int dir_fd = -1;

static int make_directory(void **state)
{
	if (!mkdtemp(directory))
		return -1;
	dir_fd = open(directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	return dir_fd < 0 ? -1 : 0;
}

static int remove_directory(void **state)
{
	(void)unlinkat(dir_fd, "file", 0);
	(void)unlinkat(dir_fd, "out", 0);
	(void)unlinkat(dir_fd, "a/b", AT_REMOVEDIR);
	(void)unlinkat(dir_fd, "a", AT_REMOVEDIR);
	fd_close(&dir_fd);
	return rmdir(directory); /* fails when a temporary file was left behind */
}

static void a_file_is_replaced_whole(void **state)
{
	struct buffer content;

	assert_int_equal(file_write_durably(dir_fd, "file", SLICE_LITERAL("one"), 0644), 0);
	assert_int_equal(file_write_durably(dir_fd, "file", SLICE_LITERAL("second"), 0644), 0);
	assert_int_equal(file_read_all(dir_fd, "file", 100, &content), 0);
	assert_slice_equal(buffer_slice(&content), "second");
	buffer_deinit(&content);
	assert_int_equal(file_write_soon(dir_fd, "file", SLICE_LITERAL("third!"), 0644), 0);
	assert_int_equal(file_read_all(dir_fd, "file", 100, &content), 0);
	assert_slice_equal(buffer_slice(&content), "third!");
	buffer_deinit(&content);
	assert_int_equal(file_read_all(dir_fd, "file", 3, &content), -EFBIG);
	assert_int_equal(file_read_all(dir_fd, "none", 3, &content), -ENOENT);
}

static void nothing_is_opened_outside(void **state)
{
	CLEANUP(fd_closep) int fd = -1;

	assert_int_equal(symlinkat("/etc/hostname", dir_fd, "out"), 0);
	assert_int_equal(file_open_beneath(dir_fd, "out", O_RDONLY, 0), -EXDEV);
	assert_int_equal(file_open_beneath(dir_fd, "../../etc/hostname", O_RDONLY, 0), -EXDEV);
	assert_int_equal(file_open_beneath(dir_fd, "/etc/hostname", O_RDONLY, 0), -EXDEV);
	fd = file_open_beneath(dir_fd, "./file", O_RDONLY, 0);
	assert_true(fd >= 0);
}

static void directories_are_made_below_only(void **state)
{
	CLEANUP(fd_closep) int fd = file_make_dirs(dir_fd, "a//b/", 0755);

	assert_true(fd >= 0);
	assert_int_equal(faccessat(dir_fd, "a/b", F_OK, 0), 0);
	assert_int_equal(file_make_dirs(dir_fd, "a/../../x", 0755), -EXDEV);
	assert_true(file_make_dirs(dir_fd, "out/x", 0755) < 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_file_is_replaced_whole),
		cmocka_unit_test(nothing_is_opened_outside),
		cmocka_unit_test(directories_are_made_below_only),
	};

	return cmocka_run_group_tests(tests, make_directory, remove_directory);
}

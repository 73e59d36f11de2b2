/* SPDX-License-Identifier: MulanPSL-2.0 */
#include "tests/support/test.h"

#include <dirent.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "lib/base/macro.h"
#include "lib/sys/fd.h"
#include "lib/sys/file.h"
#include "server/io/upload_file.h"

#define SHA_EMPTY "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
#define SHA_HELLO "2cf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b9824"

static char directory[] = "/tmp/cci-test-XXXXXX";
static int dir_fd = -1;

static int make_directory(void **state)
{
	(void)strcpy(strchr(directory, '-') + 6, "XXXXXX");
	if (!mkdtemp(directory))
		return -1;
	dir_fd = open(directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	return dir_fd < 0 ? -1 : 0;
}

static unsigned count_entries(void)
{
	DIR *dir = opendir(directory);
	unsigned n = 0;

	assert_non_null(dir);
	while (readdir(dir))
		n++;
	(void)closedir(dir);
	return n - 2; /* . and .. */
}

static int remove_directory(void **state)
{
	static const char *const names[] = { "file", ".file.part", "link", "dir" };

	for (size_t i = 0; i < ARRAY_SIZE(names); i++)
		(void)unlinkat(dir_fd, names[i], i == 3 ? AT_REMOVEDIR : 0);
	fd_close(&dir_fd);
	return rmdir(directory); /* fails when anything else was left behind */
}

static struct upload_file *begin(const char *name, bool is_resumable)
{
	struct upload_file *file = NULL;

	assert_int_equal(upload_file_open(dir_fd, name, is_resumable, 0, &file), 0);
	return file;
}

static void finish(struct upload_file *file, const char *sha256)
{
	int r;

	do
		r = upload_file_finish(file);
	while (r == UPLOAD_FILE_MORE);
	assert_int_equal(r, 0);
	assert_string_equal(upload_file_sha256(file), sha256);
	upload_file_free(file);
}

static void assert_content(const char *name, const char *text)
{
	struct buffer content;

	assert_int_equal(file_read_all(dir_fd, name, 1000, &content), 0);
	assert_slice_equal(buffer_slice(&content), text);
	buffer_deinit(&content);
}

static void a_file_has_its_name_only_when_it_is_whole(void **state)
{
	struct upload_file *file = begin("file", false);

	assert_int_equal(upload_file_write(file, SLICE_LITERAL("hel")), 0);
	assert_int_equal(faccessat(dir_fd, "file", F_OK, 0), -1);
	assert_int_equal(upload_file_write(file, SLICE_LITERAL("lo")), 0);
	assert_true(upload_file_size(file) == 5);
	finish(file, SHA_HELLO);
	assert_content("file", "hello");
	assert_int_equal(count_entries(), 1);
}

static void an_empty_file_is_a_file(void **state)
{
	finish(begin("file", false), SHA_EMPTY);
	assert_content("file", "");
}

static void what_is_not_finished_goes_or_stays(void **state)
{
	struct upload_file_status status;
	struct upload_file *file = begin("file", false);

	assert_int_equal(upload_file_write(file, SLICE_LITERAL("hel")), 0);
	upload_file_free(file);
	assert_int_equal(count_entries(), 0);

	file = begin("file", true);
	assert_int_equal(upload_file_write(file, SLICE_LITERAL("hel")), 0);
	upload_file_free(file);
	assert_content(".file.part", "hel");
	assert_int_equal(upload_file_stat(dir_fd, "file", &status), 0);
	assert_true(status.size == 3 && !status.is_complete);
}

static void a_cut_upload_goes_on_and_is_hashed_whole(void **state)
{
	struct upload_file_status status;
	struct upload_file *file = begin("file", true);

	assert_int_equal(upload_file_write(file, SLICE_LITERAL("hel")), 0);
	assert_int_equal(upload_file_sync(file), 0);
	upload_file_free(file);
	file = begin("file", true);
	assert_true(upload_file_size(file) == 3);
	assert_int_equal(upload_file_write(file, SLICE_LITERAL("lo")), 0);
	finish(file, SHA_HELLO);
	assert_content("file", "hello");
	assert_int_equal(upload_file_stat(dir_fd, "file", &status), 0);
	assert_true(status.size == 5 && status.is_complete);
}

static void one_writes_at_a_time(void **state)
{
	struct upload_file *first = begin("file", true), *second = NULL;

	assert_int_equal(upload_file_open(dir_fd, "file", true, 0, &second), UPLOAD_FILE_BUSY);
	assert_int_equal(upload_file_write(first, SLICE_LITERAL("hello")), 0);
	finish(first, SHA_HELLO);
	second = begin("file", true); /* anew */
	assert_true(upload_file_size(second) == 0);
	upload_file_free(second);
	assert_content("file", "hello");
}

static void two_whole_uploads_do_not_disturb_each_other(void **state)
{
	struct upload_file *first = begin("file", false), *second = begin("file", false);

	assert_int_equal(upload_file_write(first, SLICE_LITERAL("hello")), 0);
	assert_int_equal(upload_file_write(second, SLICE_LITERAL("xyz")), 0);
	finish(first, SHA_HELLO);
	assert_content("file", "hello");
	upload_file_free(second);
	assert_content("file", "hello");
	assert_int_equal(count_entries(), 1);
}

/* A process that is killed while it writes a whole file. */
static void die_while_writing(const char *name)
{
	struct upload_file *file = NULL;
	pid_t pid = fork();

	assert_true(pid >= 0);
	if (pid == 0) {
		if (upload_file_open(dir_fd, name, false, 0, &file) == 0 &&
		    upload_file_write(file, SLICE_LITERAL("hel")) == 0)
			(void)raise(SIGKILL);
		_exit(1);
	}
	assert_int_equal(waitpid(pid, &(int){ 0 }, 0), pid);
}

static void what_a_killed_writer_left_goes_with_the_next_whole_file(void **state)
{
	struct upload_file *growing = begin("file", true), *alive = begin("alive", false), *next;

	assert_int_equal(upload_file_write(growing, SLICE_LITERAL("hel")), 0);
	upload_file_free(growing);
	die_while_writing("dead");
	assert_int_equal(count_entries(), 3);
	next = begin("other", false);
	assert_int_equal(count_entries(), 3); /* .file.part, and two that are being written */
	assert_content(".file.part", "hel");
	assert_int_equal(upload_file_write(alive, SLICE_LITERAL("hello")), 0);
	upload_file_free(next);
	finish(alive, SHA_HELLO);
	assert_content("alive", "hello");
	assert_int_equal(unlinkat(dir_fd, "alive", 0), 0);
}

static void only_what_is_certainly_dead_is_swept(void **state)
{
	static const char *const names[] = { "x.0123456789abcdef.new", ".x.0123456789abcdef.part",
		                             ".x.new.part" };

	for (size_t i = 0; i < ARRAY_SIZE(names); i++)
		assert_int_equal(mknodat(dir_fd, names[i], S_IFREG | 0644, 0), 0);
	assert_int_equal(mknodat(dir_fd, ".x.0123456789abcdef.new", S_IFREG | 0644, 0), 0);
	assert_int_equal(symlinkat(names[0], dir_fd, ".y.0123456789abcdef.new"), 0);
	upload_file_sweep(dir_fd);
	assert_int_equal(count_entries(), ARRAY_SIZE(names) + 1);
	for (size_t i = 0; i < ARRAY_SIZE(names); i++)
		assert_int_equal(unlinkat(dir_fd, names[i], 0), 0);
	assert_int_equal(unlinkat(dir_fd, ".y.0123456789abcdef.new", 0), 0);
}

static void reserved_room_is_no_content(void **state)
{
	struct upload_file *file = NULL;
	struct stat status;

	assert_int_equal(upload_file_open(dir_fd, "file", true, 1 << 20, &file), 0);
	assert_true(upload_file_size(file) == 0);
	assert_int_equal(upload_file_write(file, SLICE_LITERAL("hello")), 0);
	finish(file, SHA_HELLO);
	assert_int_equal(fstatat(dir_fd, "file", &status, 0), 0);
	assert_int_equal(status.st_size, 5);
	assert_true(status.st_blocks * 512 < 1 << 20);
}

static void a_name_leads_nowhere_else(void **state)
{
	static const char *const names[] = { "", ".", "..", "a/b", "/etc/x", "../x" };
	struct upload_file *file = NULL;
	char many[300];

	for (size_t i = 0; i < ARRAY_SIZE(names); i++)
		assert_int_equal(upload_file_open(dir_fd, names[i], false, 0, &file), -EINVAL);
	memset(many, 'x', sizeof(many) - 1);
	many[sizeof(many) - 1] = '\0';
	assert_int_equal(upload_file_open(dir_fd, many, false, 0, &file), -ENAMETOOLONG);
	assert_int_equal(symlinkat("/tmp/nowhere", dir_fd, ".file.part"), 0);
	assert_int_equal(upload_file_open(dir_fd, "file", true, 0, &file), -ELOOP);
	assert_null(file);
}

static void no_room_is_found_out_before_the_body(void **state)
{
	struct upload_file *file = NULL;
	int r = upload_file_open(dir_fd, "file", false, INT64_MAX / 2, &file);

	/* whichever the file system says first; where it cannot reserve, nothing is known */
	assert_true(r == -ENOSPC || r == -EFBIG || r == 0);
	upload_file_free(file);
	assert_int_equal(count_entries(), 0);
}

static void a_directory_of_that_name_is_an_error(void **state)
{
	struct upload_file *file = begin("dir", false);

	assert_int_equal(mkdirat(dir_fd, "dir", 0755), 0);
	assert_int_equal(upload_file_finish(file), -EISDIR);
	upload_file_free(file);
	assert_int_equal(count_entries(), 1);
}

static void a_finished_file_that_nobody_recorded_is_finished_once_more(void **state)
{
	struct upload_file *file = begin("file", true);
	struct upload_file_status status;

	assert_int_equal(upload_file_write(file, SLICE_LITERAL("hello")), 0);
	finish(file, SHA_HELLO);
	assert_int_equal(upload_file_reopen(dir_fd, "file"), 0);
	assert_int_equal(upload_file_stat(dir_fd, "file", &status), 0);
	assert_int_equal(status.size, 5);
	assert_false(status.is_complete);
	finish(begin("file", true), SHA_HELLO);
	assert_int_equal(count_entries(), 1);
	assert_int_equal(upload_file_reopen(dir_fd, "none"), -ENOENT);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, make_directory, remove_directory)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_file_has_its_name_only_when_it_is_whole),
		TEST(an_empty_file_is_a_file),
		TEST(a_finished_file_that_nobody_recorded_is_finished_once_more),
		TEST(what_is_not_finished_goes_or_stays),
		TEST(a_cut_upload_goes_on_and_is_hashed_whole),
		TEST(one_writes_at_a_time),
		TEST(two_whole_uploads_do_not_disturb_each_other),
		TEST(what_a_killed_writer_left_goes_with_the_next_whole_file),
		TEST(only_what_is_certainly_dead_is_swept),
		TEST(reserved_room_is_no_content),
		TEST(a_name_leads_nowhere_else),
		TEST(no_room_is_found_out_before_the_body),
		TEST(a_directory_of_that_name_is_an_error),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

/* SPDX-License-Identifier: MulanPSL-2.0 */
#include "tests/support/test.h"

#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "initramfs/new_root.h"
#include "lib/base/macro.h"
#include "lib/sys/fd.h"

/* A root with links of every kind; `outside` stands beside it. */
static int make_tree(char *directory)
{
	static const struct {
		const char *name, *target; /* NULL: a directory; "": a file */
	} entries[] = {
		{ "outside", NULL },
		{ "outside/secret", "" },
		{ "root", NULL },
		{ "root/usr", NULL },
		{ "root/usr/lib", NULL },
		{ "root/usr/lib/file", "" },
		{ "root/lib", "usr/lib" },
		{ "root/abs", "/usr/lib/file" },
		{ "root/up", "../../outside/secret" },
		{ "root/usr/up", "../../../../usr/lib/file" },
		{ "root/loop", "loop" },
		{ "root/chain", "abs" },
		{ "root/nowhere", "/none" },
		{ "root/secret", "/../outside/secret" },
	};
	int fd, dir = open(directory, O_PATH | O_DIRECTORY);

	assert_true(dir >= 0);
	for (size_t i = 0; i < ARRAY_SIZE(entries); i++) {
		if (!entries[i].target) {
			assert_int_equal(mkdirat(dir, entries[i].name, 0755), 0);
		} else if (entries[i].target[0]) {
			assert_int_equal(symlinkat(entries[i].target, dir, entries[i].name), 0);
		} else {
			fd = openat(dir, entries[i].name, O_WRONLY | O_CREAT, 0644);
			assert_true(fd >= 0);
			(void)close(fd);
		}
	}
	return dir;
}

static const struct {
	const char *path;
	int flags, error;
	const char *same_as; /* seen from the root, by a path without links */
} cases[] = {
	{ "usr/lib/file", O_RDONLY, 0, "usr/lib/file" },
	{ "/usr//lib/./file", O_RDONLY, 0, "usr/lib/file" },
	{ "lib/file", O_RDONLY, 0, "usr/lib/file" },
	{ "lib/../lib/file", O_RDONLY, 0, "usr/lib/file" },
	{ "abs", O_RDONLY, 0, "usr/lib/file" },
	{ "chain", O_RDONLY, 0, "usr/lib/file" },
	{ "usr/up", O_RDONLY, 0, "usr/lib/file" },
	{ "../../usr/lib/file", O_RDONLY, 0, "usr/lib/file" },
	{ "lib", O_PATH | O_DIRECTORY, 0, "usr/lib" },
	{ ".", O_PATH | O_DIRECTORY, 0, "." },
	{ "..", O_PATH | O_DIRECTORY, 0, "." },
	{ "up", O_RDONLY, -ENOENT, NULL },
	{ "secret", O_RDONLY, -ENOENT, NULL },
	{ "../outside/secret", O_RDONLY, -ENOENT, NULL },
	{ "nowhere", O_RDONLY, -ENOENT, NULL },
	{ "loop", O_RDONLY, -ELOOP, NULL },
	{ "abs", O_RDONLY | O_NOFOLLOW, -ELOOP, NULL },
	{ "usr/lib/file/x", O_RDONLY, -ENOTDIR, NULL },
	{ "usr/lib/file", O_RDONLY | O_DIRECTORY, -ENOTDIR, NULL },
};

static void check(int root_fd, int fd, size_t i)
{
	struct stat got, expected;

	if ((cases[i].error == 0) != (fd >= 0) || (fd < 0 && fd != cases[i].error))
		print_message("%s: %d\n", cases[i].path, fd);
	if (cases[i].error != 0) {
		assert_int_equal(fd, cases[i].error);
		return;
	}
	assert_true(fd >= 0);
	assert_int_equal(fstat(fd, &got), 0);
	assert_int_equal(fstatat(root_fd, cases[i].same_as, &expected, 0), 0);
	assert_int_equal(got.st_ino, expected.st_ino);
	(void)close(fd);
}

static int remove_tree(const char *directory)
{
	char command[256];

	(void)snprintf(command, sizeof(command), "rm -rf '%s'", directory);
	return system(command);
}

static void links_lead_nowhere_but_into_the_root(void **state)
{
	char directory[] = "/tmp/cci-new-root-XXXXXX";
	int top, root_fd;

	assert_non_null(mkdtemp(directory));
	top = make_tree(directory);
	root_fd = openat(top, "root", O_PATH | O_DIRECTORY);
	assert_true(root_fd >= 0);
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		check(root_fd, new_root_open(root_fd, cases[i].path, (uint64_t)cases[i].flags, 0),
		      i);
		check(root_fd, new_root_walk(root_fd, cases[i].path, cases[i].flags, 0), i);
	}
	(void)close(root_fd);
	(void)close(top);
	assert_int_equal(remove_tree(directory), 0);
}

static void files_are_written_through_links_of_directories_only(void **state)
{
	char directory[] = "/tmp/cci-new-root-XXXXXX";
	struct buffer text = BUFFER_NULL;
	int top, root_fd;
	struct stat st;

	assert_non_null(mkdtemp(directory));
	top = make_tree(directory);
	root_fd = openat(top, "root", O_PATH | O_DIRECTORY);
	assert_int_equal(new_root_write(root_fd, "lib/new/dir", "a", SLICE_LITERAL("x"), 0600), 0);
	assert_int_equal(fstatat(root_fd, "usr/lib/new/dir/a", &st, 0), 0);
	assert_int_equal(st.st_mode & 07777, 0600);
	/* a link that is the file itself is replaced, not followed */
	assert_int_equal(new_root_write(root_fd, ".", "up", SLICE_LITERAL("mine"), 0644), 0);
	assert_int_equal(fstatat(top, "outside/secret", &st, 0), 0);
	assert_int_equal(st.st_size, 0);
	assert_int_equal(new_root_read(root_fd, "/up", 100, &text), 0);
	assert_slice_equal(buffer_slice(&text), "mine");
	buffer_deinit(&text);
	assert_int_equal(new_root_read(root_fd, "up", 3, &text), -EFBIG);
	buffer_deinit(&text);
	(void)close(root_fd);
	(void)close(top);
	assert_int_equal(remove_tree(directory), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(links_lead_nowhere_but_into_the_root),
		cmocka_unit_test(files_are_written_through_links_of_directories_only),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

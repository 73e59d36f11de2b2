/* SPDX-License-Identifier: MulanPSL-2.0 */
#include "tests/support/test.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/sys/fd.h"
#include "lib/sys/tree_remove.h"

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
	(void)unlinkat(dir_fd, "outside/file", 0);
	(void)unlinkat(dir_fd, "outside", AT_REMOVEDIR);
	fd_close(&dir_fd);
	return rmdir(directory); /* fails when a tree was left behind */
}

static void put(const char *name)
{
	int fd = openat(dir_fd, name, O_WRONLY | O_CREAT | O_CLOEXEC, 0644);

	assert_true(fd >= 0);
	fd_close(&fd);
}

static bool is_there(const char *name)
{
	struct stat st;

	return fstatat(dir_fd, name, &st, AT_SYMLINK_NOFOLLOW) == 0;
}

static void a_tree_goes_in_pieces(void **state)
{
	int n_pieces = 1, r;

	assert_int_equal(mkdirat(dir_fd, "tree", 0755), 0);
	assert_int_equal(mkdirat(dir_fd, "tree/a", 0755), 0);
	assert_int_equal(mkdirat(dir_fd, "tree/a/b", 0755), 0);
	for (int i = 0; i < 40; i++) {
		char name[32];

		(void)snprintf(name, sizeof(name), "tree/%s%d", i % 2 ? "a/" : "a/b/", i);
		put(name);
	}
	/* 43 entries, ten at a time */
	while ((r = tree_remove_piece(dir_fd, "tree", 10)) == TREE_MORE)
		n_pieces++;
	assert_int_equal(r, 0);
	assert_int_equal(n_pieces, 5);
	assert_false(is_there("tree"));
	assert_int_equal(tree_remove_piece(dir_fd, "tree", 10), 0); /* gone is gone */
}

static void a_piece_removes_no_more_than_it_may(void **state)
{
	int n = 0;

	assert_int_equal(mkdirat(dir_fd, "tree", 0755), 0);
	put("tree/1");
	put("tree/2");
	put("tree/3");
	assert_int_equal(tree_remove_piece(dir_fd, "tree", 1), TREE_MORE);
	n += is_there("tree/1") + is_there("tree/2") + is_there("tree/3");
	assert_int_equal(n, 2);
	assert_int_equal(tree_remove_piece(dir_fd, "tree", 3), 0);
}

static void links_are_removed_and_not_followed(void **state)
{
	assert_int_equal(mkdirat(dir_fd, "outside", 0755), 0);
	put("outside/file");
	assert_int_equal(mkdirat(dir_fd, "tree", 0755), 0);
	assert_int_equal(symlinkat("../outside", dir_fd, "tree/link"), 0);
	assert_int_equal(symlinkat("../outside/file", dir_fd, "tree/other"), 0);
	assert_int_equal(tree_remove_piece(dir_fd, "tree", 100), 0);
	assert_true(is_there("outside/file"));
	assert_int_equal(symlinkat("outside", dir_fd, "tree"), 0);
	assert_int_equal(tree_remove_piece(dir_fd, "tree", 100), 0);
	assert_true(is_there("outside/file"));
	assert_false(is_there("tree"));
}

static void a_large_file_goes_in_pieces(void **state)
{
	int fd, r, n_pieces = 1;

	assert_int_equal(mkdirat(dir_fd, "tree", 0755), 0);
	fd = openat(dir_fd, "tree/large", O_WRONLY | O_CREAT | O_CLOEXEC, 0644);
	assert_true(fd >= 0);
	assert_int_equal(ftruncate(fd, 3 * TREE_PIECE_BYTES + 1), 0);
	fd_close(&fd);
	while ((r = tree_remove_piece(dir_fd, "tree", 100)) == TREE_MORE)
		n_pieces++;
	assert_int_equal(r, 0);
	assert_int_equal(n_pieces, 4);
}

static void what_is_too_deep_is_refused(void **state)
{
	int top = openat(dir_fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC), at = top;

	for (int i = 0; i <= TREE_DEPTH_MAX; i++) {
		int next;

		assert_int_equal(mkdirat(at, "d", 0755), 0);
		next = openat(at, "d", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
		assert_true(next >= 0);
		fd_close(&at);
		at = next;
	}
	assert_int_equal(tree_remove_piece(dir_fd, "d", 1000), -ELOOP);
	/* from its end: each `..` is emptied */
	for (int i = 0; i <= TREE_DEPTH_MAX; i++) {
		int up = openat(at, "..", O_RDONLY | O_DIRECTORY | O_CLOEXEC);

		assert_int_equal(unlinkat(up, "d", AT_REMOVEDIR), 0);
		fd_close(&at);
		at = up;
	}
	fd_close(&at);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_tree_goes_in_pieces),
		cmocka_unit_test(a_piece_removes_no_more_than_it_may),
		cmocka_unit_test(links_are_removed_and_not_followed),
		cmocka_unit_test(a_large_file_goes_in_pieces),
		cmocka_unit_test(what_is_too_deep_is_refused),
	};

	return cmocka_run_group_tests(tests, make_directory, remove_directory);
}

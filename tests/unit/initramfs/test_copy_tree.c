/* SPDX-License-Identifier: MulanPSL-2.0 */
/* A copy that is cut off at any name, and gone on with. */
#include "tests/support/test.h"

#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "initramfs/copy_tree.h"
#include "lib/base/macro.h"
#include "lib/sys/fd.h"

#define PATH_ROOM 256

struct place {
	char dir[32], source[64], root[64];
};

static void write_text(const char *dir, const char *name, const char *text, mode_t mode)
{
	char path[PATH_ROOM];
	int fd;

	(void)snprintf(path, sizeof(path), "%s/%s", dir, name);
	fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	assert_true(fd >= 0);
	assert_int_equal(write(fd, text, strlen(text)), strlen(text));
	assert_int_equal(fchmod(fd, mode), 0);
	assert_int_equal(close(fd), 0);
}

static void age(const char *dir, const char *name, time_t when)
{
	const struct timespec times[2] = { { when, 1 }, { when, 2 } };
	char path[PATH_ROOM];

	(void)snprintf(path, sizeof(path), "%s/%s", dir, name);
	assert_int_equal(utimensat(AT_FDCWD, path, times, AT_SYMLINK_NOFOLLOW), 0);
}

/* "a-b" stands behind all of "a": the order is that of names, not of whole paths. */
static void make_source(const char *dir)
{
	static const char *const directories[] = { "a", "a/deep", "empty", "z" };
	static const char *const names[] = { "a-b", "a/deep/one", "a/deep/two", "a/deep", "a/run",
		                             "a",   "empty",      "z/link",     "z" };
	char path[PATH_ROOM], other[PATH_ROOM];

	for (size_t i = 0; i < ARRAY_SIZE(directories); i++) {
		(void)snprintf(path, sizeof(path), "%s/%s", dir, directories[i]);
		assert_int_equal(mkdir(path, 0750), 0);
	}
	write_text(dir, "a-b", "behind a", 0644);
	write_text(dir, "a/deep/one", "1", 0600);
	write_text(dir, "a/deep/two", "two", 0640);
	write_text(dir, "a/run", "#!/bin/sh\n", 04755);
	(void)snprintf(path, sizeof(path), "%s/z/link", dir);
	assert_int_equal(symlink("../a/run", path), 0);
	(void)snprintf(path, sizeof(path), "%s/a/deep/one", dir);
	(void)snprintf(other, sizeof(other), "%s/z/one", dir); /* a second name, far behind */
	assert_int_equal(link(path, other), 0);
	for (size_t i = 0; i < ARRAY_SIZE(names); i++)
		age(dir, names[i], 1000000 + (time_t)i);
}

static int set_up(void **state)
{
	static struct place place;

	(void)snprintf(place.dir, sizeof(place.dir), "/tmp/cci-copy-XXXXXX");
	assert_non_null(mkdtemp(place.dir));
	(void)snprintf(place.source, sizeof(place.source), "%s/source", place.dir);
	(void)snprintf(place.root, sizeof(place.root), "%s/root", place.dir);
	assert_int_equal(mkdir(place.source, 0755), 0);
	make_source(place.source);
	*state = &place;
	return 0;
}

static int remove_one(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
	return remove(path);
}

static int tear_down(void **state)
{
	const struct place *place = *state;

	return nftw(place->dir, remove_one, 16, FTW_DEPTH | FTW_PHYS);
}

/* ---- whether two trees are the same ---- */

static const struct place *compared; /* nftw has no argument for it */

static int compare_one(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
	const char *name = path + strlen(compared->source);
	char other[PATH_ROOM], one[PATH_ROOM] = "", two[PATH_ROOM] = "";
	struct stat got;

	(void)snprintf(other, sizeof(other), "%s%s", compared->root, name);
	if (lstat(other, &got) < 0)
		fail_msg("%s is not there", name);
	if (ftw->level == 0)
		return 0; /* the root itself is made by who mounts it */
	if (got.st_mode != st->st_mode || got.st_nlink != st->st_nlink ||
	    got.st_mtim.tv_sec != st->st_mtim.tv_sec || got.st_uid != st->st_uid)
		fail_msg("%s has other attributes", name);
	if (S_ISLNK(st->st_mode)) {
		assert_true(readlink(path, one, sizeof(one) - 1) > 0);
		assert_true(readlink(other, two, sizeof(two) - 1) > 0);
	} else if (S_ISREG(st->st_mode)) {
		CLEANUP(fd_closep) int a = open(path, O_RDONLY | O_CLOEXEC);
		CLEANUP(fd_closep) int b = open(other, O_RDONLY | O_CLOEXEC);

		assert_int_equal(got.st_size, st->st_size);
		assert_true(read(a, one, sizeof(one) - 1) >= 0 &&
		            read(b, two, sizeof(two) - 1) >= 0);
	}
	assert_string_equal(one, two);
	return 0;
}

static void assert_same(const struct place *place)
{
	compared = place;
	assert_int_equal(nftw(place->source, compare_one, 16, FTW_PHYS), 0);
}

/* ---- copies ---- */

struct stop {
	int after; /* so many names; -1: never */
	int n;
	char path[PATH_ROOM];
};

static int count_down(void *arg, const char *path, const struct copy_result *so_far)
{
	struct stop *stop = arg;

	(void)snprintf(stop->path, sizeof(stop->path), "%s", path);
	return stop->after >= 0 && ++stop->n > stop->after ? -ECANCELED : 0;
}

static int copy(const struct place *place, const char *done_to, struct stop *stop,
                struct copy_result *ret)
{
	CLEANUP(fd_closep) int source = open(place->source, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	CLEANUP(fd_closep) int root = open(place->root, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	const struct copy_request request = { .source_fd = source,
		                              .root_fd = root,
		                              .target = ".",
		                              .is_mirror = true,
		                              .done_to = done_to,
		                              .done = count_down,
		                              .arg = stop };

	assert_true(source >= 0 && root >= 0);
	return copy_tree(&request, ret);
}

static void begin_root(const struct place *place)
{
	(void)nftw(place->root, remove_one, 16, FTW_DEPTH | FTW_PHYS); /* the first time: none */
	assert_int_equal(mkdir(place->root, 0755), 0);
}

/* The power is cut at each name in turn, one or two names later than the mark was written. */
static void a_copy_goes_on_behind_its_mark(void **state)
{
	const struct place *place = *state;
	struct stop never = { .after = -1 };
	struct copy_result whole, rest;

	begin_root(place);
	assert_int_equal(copy(place, NULL, &never, &whole), 0);
	assert_same(place);
	for (int after = 0; after < (int)whole.n_names; after++) {
		for (int more = 0; more < 3; more++) {
			struct stop mark = { .after = after }, cut = { .after = after + more };
			struct copy_result part;

			begin_root(place);
			assert_int_equal(copy(place, NULL, &mark, &part), -ECANCELED);
			begin_root(place);
			(void)copy(place, NULL, &cut, &part); /* may come to its end */
			assert_int_equal(copy(place, mark.path, &never, &rest), 0);
			assert_same(place);
			assert_int_equal(rest.n_names, whole.n_names);
			assert_int_equal(rest.n_name_bytes, whole.n_name_bytes);
			if (after > 1)
				assert_true(rest.n_files < whole.n_files);
		}
	}
}

/* A name that came after the mark may have any content: its blocks were not on the disk. */
static void what_came_after_the_mark_is_copied_anew(void **state)
{
	const struct place *place = *state;
	struct stop mark = { .after = 0 }, never = { .after = -1 };
	struct copy_result result;

	begin_root(place);
	assert_int_equal(copy(place, NULL, &mark, &result), -ECANCELED);
	assert_string_equal(mark.path, "././a/deep/one");
	write_text(place->root, "a/deep/two", "torn by the power cut", 0600);
	write_text(place->root, "a/run", "", 0600);
	assert_int_equal(copy(place, mark.path, &never, &result), 0);
	assert_same(place);
}

static void a_mark_of_another_source_is_told(void **state)
{
	const struct place *place = *state;
	struct stop never = { .after = -1 };
	struct copy_result result;

	begin_root(place);
	assert_int_equal(copy(place, "./a/gone", &never, &result), -ESTALE);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(a_copy_goes_on_behind_its_mark, set_up, tear_down),
		cmocka_unit_test_setup_teardown(what_came_after_the_mark_is_copied_anew, set_up,
		                                tear_down),
		cmocka_unit_test_setup_teardown(a_mark_of_another_source_is_told, set_up,
		                                tear_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

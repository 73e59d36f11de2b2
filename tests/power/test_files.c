/* SPDX-License-Identifier: MulanPSL-2.0 */
/*
 * The power is cut after each system call of the code that keeps results: an acknowledged file is
 * there, and no name ever shows half a file. The last tests take syncs away; that must be seen.
 */
#include "tests/support/test.h"

#include <fcntl.h>
#include <ftw.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/base/macro.h"
#include "lib/sys/fd.h"
#include "lib/sys/file.h"
#include "server/io/upload_file.h"
#include "tests/power/disk_model.h"

#define LEAF "suite/day/1"

static char directory[64];
static int root_fd = -1, leaf_fd = -1;
static struct {
	const char *acknowledged[4]; /* paths that must be there now */
	size_t n_acknowledged;
	unsigned n_lost, n_torn;
} seen;

static const char *const final_names[] = { LEAF "/blob", LEAF "/whole", LEAF "/note" };

static void cut_here(void)
{
	for (size_t i = 0; i < seen.n_acknowledged; i++)
		seen.n_lost += !disk_model_is_durable(seen.acknowledged[i]);
	for (size_t i = 0; i < ARRAY_SIZE(final_names); i++)
		seen.n_torn += disk_model_may_be_torn(final_names[i]);
}

static void acknowledge(const char *path)
{
	seen.acknowledged[seen.n_acknowledged++] = path;
	cut_here();
}

static int set_up(void **state)
{
	memset(&seen, 0, sizeof(seen));
	(void)snprintf(directory, sizeof(directory), "/tmp/cci-power-XXXXXX");
	if (!mkdtemp(directory))
		return -1;
	root_fd = open(directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	disk_model_begin(root_fd);
	disk_model_watch(cut_here);
	leaf_fd = file_make_dirs(root_fd, LEAF, 0755);
	return leaf_fd < 0 ? -1 : 0;
}

static int remove_one(const char *path, const struct stat *st, int flag, struct FTW *ftw)
{
	return remove(path);
}

static int tear_down(void **state)
{
	fd_close(&leaf_fd);
	fd_close(&root_fd);
	disk_model_watch(NULL);
	return nftw(directory, remove_one, 16, FTW_DEPTH | FTW_PHYS);
}

static void finish(struct upload_file *file)
{
	int r;

	while ((r = upload_file_finish(file)) == UPLOAD_FILE_MORE)
		;
	assert_int_equal(r, 0);
	upload_file_free(file);
}

/* Two pieces, each acknowledged, the second by another process; then a file in one piece. */
static void upload_all(void)
{
	const struct slice piece = SLICE_LITERAL("hello");
	struct upload_file *file = NULL;

	assert_int_equal(upload_file_open(leaf_fd, "blob", true, 10, &file), 0);
	assert_int_equal(upload_file_write(file, piece), 0);
	assert_int_equal(upload_file_sync(file), 0);
	acknowledge(LEAF "/.blob.part");
	upload_file_free(file);
	seen.n_acknowledged = 0; /* what is written next may be lost */
	assert_int_equal(upload_file_open(leaf_fd, "blob", true, 10, &file), 0);
	assert_int_equal(upload_file_size(file), 5);
	assert_int_equal(upload_file_write(file, piece), 0);
	finish(file);
	acknowledge(LEAF "/blob");
	assert_int_equal(upload_file_open(leaf_fd, "whole", false, 0, &file), 0);
	assert_int_equal(upload_file_write(file, piece), 0);
	finish(file);
	acknowledge(LEAF "/whole");
	assert_true(disk_model_n_steps() > 12);
}

static void an_acknowledged_upload_survives_a_cut_at_every_step(void **state)
{
	upload_all();
	assert_int_equal(seen.n_lost, 0);
	assert_int_equal(seen.n_torn, 0);
}

static void a_file_replaced_durably_is_old_or_new(void **state)
{
	disk_model_begin(leaf_fd); /* its directory is old */
	assert_int_equal(file_write_durably(leaf_fd, "note", SLICE_LITERAL("old"), 0644), 0);
	assert_true(disk_model_is_durable("note"));
	disk_model_watch(cut_here);
	seen.acknowledged[seen.n_acknowledged++] = "note";
	assert_int_equal(file_write_durably(leaf_fd, "note", SLICE_LITERAL("new"), 0644), 0);
	assert_int_equal(seen.n_lost, 0);
	assert_false(disk_model_may_be_torn("note"));
}

static void a_file_written_soon_may_be_torn(void **state)
{
	assert_int_equal(file_write_soon(leaf_fd, "note", SLICE_LITERAL("x"), 0644), 0);
	assert_false(disk_model_is_durable(LEAF "/note"));
	assert_true(disk_model_may_be_torn(LEAF "/note"));
}

static void without_fsync_of_files_a_name_shows_half_a_file(void **state)
{
	disk_model_set_fault(DISK_NO_FSYNC, LEAF);
	upload_all();
	assert_true(seen.n_torn > 0 && seen.n_lost > 0);
}

static void without_fsync_of_directories_uploads_are_lost(void **state)
{
	disk_model_set_fault(DISK_NO_DIR_FSYNC, LEAF);
	upload_all();
	assert_true(seen.n_lost > 0);
}

static void without_fsync_of_the_directories_above_they_are_lost_too(void **state)
{
	disk_model_set_fault(DISK_NO_UP_FSYNC, LEAF);
	upload_all();
	assert_true(seen.n_lost > 0);
}

#define POWER_TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		POWER_TEST(an_acknowledged_upload_survives_a_cut_at_every_step),
		POWER_TEST(a_file_replaced_durably_is_old_or_new),
		POWER_TEST(a_file_written_soon_may_be_torn),
		POWER_TEST(without_fsync_of_files_a_name_shows_half_a_file),
		POWER_TEST(without_fsync_of_directories_uploads_are_lost),
		POWER_TEST(without_fsync_of_the_directories_above_they_are_lost_too),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

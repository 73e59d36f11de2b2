/* SPDX-License-Identifier: MulanPSL-2.0 */
/*
 * What the agent does with files: finding results, hashing them, its lock, an empty $TMP.
 */
#include "tests/support/test.h"

#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "agent/collect.h"
#include "agent/digest.h"
#include "agent/job_env.h"
#include "agent/lock.h"
#include "lib/base/macro.h"
#include "lib/sys/file.h"

static char root[64];
static int root_fd;

static void put(const char *path, const char *text)
{
	int fd = openat(root_fd, path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);

	assert_true(fd >= 0);
	assert_int_equal(write(fd, text, strlen(text)), strlen(text));
	(void)close(fd);
}

static void make(const char *path)
{
	int fd = file_make_dirs(root_fd, path, 0755);

	assert_true(fd >= 0);
	(void)close(fd);
}

static const struct collected_file *find(const struct collected *c, const char *path)
{
	for (size_t i = 0; i < c->n_files; i++)
		if (strcmp(c->files[i].path, path) == 0)
			return &c->files[i];
	return NULL;
}

static void regular_files_are_found_and_links_are_not(void **state)
{
	struct collected c;

	make("a/b");
	put("one", "1");
	put("a/b/three", "333");
	assert_int_equal(symlinkat("/etc", root_fd, "a/link"), 0);
	assert_int_equal(symlinkat("one", root_fd, "a/link2"), 0);
	assert_int_equal(mkfifoat(root_fd, "fifo", 0600), 0);
	assert_int_equal(collect_files(root_fd, 100, &c), 0);
	assert_int_equal(c.n_files, 2);
	assert_int_equal(c.n_left_out, 0);
	assert_non_null(find(&c, "one"));
	assert_int_equal(find(&c, "a/b/three")->size, 3);
	collected_deinit(&c);
}

static void too_many_files_are_counted(void **state)
{
	struct collected c;
	char name[16];

	for (unsigned i = 0; i < 20; i++) {
		(void)snprintf(name, sizeof(name), "f%u", i);
		put(name, "");
	}
	assert_int_equal(collect_files(root_fd, 7, &c), 0);
	assert_int_equal(c.n_files, 7);
	assert_int_equal(c.n_left_out, 13);
	collected_deinit(&c);
}

static void depth_has_an_end(void **state)
{
	struct collected c;
	char path[400] = "d";

	for (unsigned i = 0; i < 100; i++)
		(void)strcat(path, "/d");
	make(path);
	assert_int_equal(collect_files(root_fd, 7, &c), 0);
	assert_int_equal(c.n_files, 0);
	assert_int_equal(c.n_left_out, 1);
	collected_deinit(&c);
}

static void digest_in_parts_is_the_digest(void **state)
{
	struct digest *digest = digest_new();
	char hex[65];
	int fd, r;

	put("abc", "abc-and-more");
	fd = openat(root_fd, "abc", O_RDONLY | O_CLOEXEC);
	while ((r = digest_advance(digest, fd, 3, 1)) > 0)
		;
	assert_int_equal(r, 0);
	assert_int_equal(digest_size(digest), 3);
	digest_finish(digest, hex);
	/* FIPS 180-2, appendix B.1 */
	assert_string_equal(hex,
	                    "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
	digest_free(digest);
	digest = digest_new();
	assert_int_equal(digest_advance(digest, fd, 100, 1000), 0); /* shorter than it was said */
	assert_int_equal(digest_size(digest), 12);
	digest_free(digest);
	(void)close(fd);
}

static void lock_is_ours_again_after_a_restart(void **state)
{
	assert_int_equal(lock_take(root, "7"), 0);
	assert_int_equal(faccessat(root_fd, "var/lock/lkp-bootstrap.lock", F_OK, 0), 0);
	assert_false(lock_was_started(root, "7"));
	assert_int_equal(lock_set_started(root, "7"), 0);
	assert_true(lock_was_started(root, "7"));
	assert_false(lock_was_started(root, "8"));
	assert_int_equal(lock_take(root, "7"), 0);
}

static void lock_of_lkps_client_is_respected_while_it_may_live(void **state)
{
	const struct timespec old[2] = { { .tv_sec = 1000 }, { .tv_sec = 1000 } };
	char pid[24];

	make("var/lock/lkp-bootstrap.lock");
	make("lkp/run");
	assert_int_equal(lock_take(root, "7"), LOCK_TAKEN); /* made in this boot */
	assert_int_equal(utimensat(root_fd, "var/lock/lkp-bootstrap.lock", old, 0), 0);
	(void)snprintf(pid, sizeof(pid), "%d\n", (int)getpid());
	put("lkp/run/lkp-bootstrap.pid", pid);
	assert_int_equal(lock_take(root, "7"), LOCK_TAKEN); /* its process lives */
	put("lkp/run/lkp-bootstrap.pid", "not a pid\n");
	assert_int_equal(lock_take(root, "7"), 0); /* left by an earlier boot */
}

static void tree_is_removed_without_following_links(void **state)
{
	char path[128];

	make("tmp/lkp/a/b");
	make("tmp/kept");
	put("tmp/lkp/a/file", "x");
	put("tmp/kept/file", "x");
	assert_int_equal(symlinkat("../kept", root_fd, "tmp/lkp/link"), 0);
	(void)snprintf(path, sizeof(path), "%s/tmp/lkp", root);
	assert_int_equal(job_env_remove_tree(path), 0);
	assert_int_equal(faccessat(root_fd, "tmp/lkp", F_OK, 0), -1);
	assert_int_equal(faccessat(root_fd, "tmp/kept/file", F_OK, 0), 0);
	assert_int_equal(job_env_remove_tree(path), 0); /* nothing there */
}

static int set_up(void **state)
{
	(void)strcpy(root, "/tmp/test_files.XXXXXX");
	if (!mkdtemp(root))
		return -1;
	root_fd = open(root, O_DIRECTORY | O_CLOEXEC);
	return root_fd < 0 ? -1 : 0;
}

static int tear_down(void **state)
{
	(void)close(root_fd);
	return job_env_remove_tree(root);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(regular_files_are_found_and_links_are_not, set_up,
		                                tear_down),
		cmocka_unit_test_setup_teardown(too_many_files_are_counted, set_up, tear_down),
		cmocka_unit_test_setup_teardown(depth_has_an_end, set_up, tear_down),
		cmocka_unit_test_setup_teardown(digest_in_parts_is_the_digest, set_up, tear_down),
		cmocka_unit_test_setup_teardown(lock_is_ours_again_after_a_restart, set_up,
		                                tear_down),
		cmocka_unit_test_setup_teardown(lock_of_lkps_client_is_respected_while_it_may_live,
		                                set_up, tear_down),
		cmocka_unit_test_setup_teardown(tree_is_removed_without_following_links, set_up,
		                                tear_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

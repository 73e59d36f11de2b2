/* SPDX-License-Identifier: MulanPSL-2.0 */
#include "tests/support/test.h"

#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/base/macro.h"
#include "lib/base/text.h"
#include "lib/sys/fd.h"
#include "lib/sys/file.h"
#include "server/service/file_service.h"

static char directory[] = "/tmp/cci-test-XXXXXX";
static char tftp_root[64], os_root[64], new_root[64];
static int dir_fd = -1;
static struct file_service *files;

static void put(const char *path, const char *content)
{
	CLEANUP(fd_closep)
	int fd = openat(dir_fd, path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);

	assert_true(fd >= 0);
	assert_int_equal(fd_write_all(fd, content, strlen(content)), 0);
}

static void put_link(const char *target, const char *path)
{
	assert_int_equal(symlinkat(target, dir_fd, path), 0);
}

static int make_tree(void **state)
{
	char inside[96];

	if (!mkdtemp(directory))
		return -1;
	dir_fd = open(directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	(void)snprintf(tftp_root, sizeof(tftp_root), "%s/tftp", directory);
	(void)snprintf(os_root, sizeof(os_root), "%s/os", directory);
	(void)snprintf(new_root, sizeof(new_root), "%s/new", directory);
	assert_int_equal(mkdirat(dir_fd, "tftp", 0755), 0);
	assert_int_equal(mkdirat(dir_fd, "tftp/ipxe", 0755), 0);
	assert_int_equal(mkdirat(dir_fd, "os", 0755), 0);
	assert_int_equal(mkdirat(dir_fd, "os/special", 0755), 0);
	put("secret", "not for you");
	put("tftp/ipxe/snp.efi", "efi");
	put("tftp/undionly.kpxe", "bios");
	put("os/vmlinuz", "kernel");
	put("os/special/file", "special");
	put_link("vmlinuz", "os/relative");
	put_link("special/../vmlinuz", "os/winding");
	(void)snprintf(inside, sizeof(inside), "%s/vmlinuz", os_root);
	put_link(inside, "os/absolute");
	put_link("../secret", "os/out");
	put_link("/etc/hostname", "os/far-out");
	put_link("..", "os/up");
	put_link("loop", "os/loop");
	put_link("nowhere", "os/dangling");
	assert_int_equal(mkfifoat(dir_fd, "os/fifo", 0644), 0);
	return 0;
}

static int remove_tree(void **state)
{
	char command[96];

	fd_close(&dir_fd);
	(void)snprintf(command, sizeof(command), "rm -rf '%s'", directory);
	return system(command) == 0 ? 0 : -1;
}

static int begin(void **state)
{
	const struct file_service_root roots[] = {
		{ NULL, tftp_root },
		{ "/os", os_root },
		{ "/os/special", new_root },
		{ "/new", new_root },
	};

	return file_service_new(roots, ARRAY_SIZE(roots), &files);
}

static int end(void **state)
{
	files = file_service_free(files);
	return 0;
}

/* Opens and compares the content; NULL: nothing is opened. */
static int outcome(int r, struct file_opened *opened, const char *content)
{
	char text[32];

	if (r == FILE_FOUND) {
		assert_non_null(content);
		assert_int_equal(opened->size, strlen(content));
		assert_int_equal(pread(opened->fd, text, sizeof(text), 0), strlen(content));
		assert_memory_equal(text, content, strlen(content));
		assert_int_equal(fcntl(opened->fd, F_GETFD) & FD_CLOEXEC, FD_CLOEXEC);
		fd_close(&opened->fd);
	}
	return r;
}

static int http(const char *path, const char *content)
{
	struct file_opened opened = FILE_OPENED_NULL;

	return outcome(file_service_open(files, slice_from_text(path), &opened), &opened, content);
}

static int tftp(const char *name, const char *content)
{
	struct file_opened opened = FILE_OPENED_NULL;

	return outcome(file_service_open_tftp(files, slice_from_text(name), &opened), &opened,
	               content);
}

static void a_path_is_looked_up_below_the_longest_prefix(void **state)
{
	assert_int_equal(http("/os/vmlinuz", "kernel"), FILE_FOUND);
	assert_int_equal(http("/os/none", NULL), FILE_ABSENT);
	assert_int_equal(http("/os/vmlinuz/x", NULL), FILE_ABSENT);
	assert_int_equal(http("/osimage/x", NULL), FILE_NO_ROOT);
	assert_int_equal(http("/undionly.kpxe", NULL), FILE_NO_ROOT);
	assert_int_equal(http("/os/special/file", NULL), FILE_NO_ROOT);
	assert_true(file_service_covers(files, SLICE_LITERAL("/os/none")));
	assert_false(file_service_covers(files, SLICE_LITERAL("/osimage")));
}

static void a_directory_made_later_counts(void **state)
{
	assert_int_equal(http("/new/a", NULL), FILE_NO_ROOT);
	assert_int_equal(mkdirat(dir_fd, "new", 0755), 0);
	assert_int_equal(http("/new/a", NULL), FILE_ABSENT);
	put("new/a", "late");
	assert_int_equal(http("/new/a", "late"), FILE_FOUND);
	assert_int_equal(unlinkat(dir_fd, "new/a", 0), 0);
	assert_int_equal(unlinkat(dir_fd, "new", AT_REMOVEDIR), 0);
}

static void links_are_followed_inside_only(void **state)
{
	assert_int_equal(http("/os/relative", "kernel"), FILE_FOUND);
	assert_int_equal(http("/os/winding", "kernel"), FILE_FOUND);
	assert_int_equal(http("/os/absolute", "kernel"), FILE_FOUND);
	assert_int_equal(http("/os/out", NULL), FILE_OUTSIDE);
	assert_int_equal(http("/os/far-out", NULL), FILE_OUTSIDE);
	assert_int_equal(http("/os/up/secret", NULL), FILE_OUTSIDE);
	assert_int_equal(http("/os/loop", NULL), FILE_OUTSIDE);
	assert_int_equal(http("/os/dangling", NULL), FILE_ABSENT);
	assert_int_equal(file_service_get_counters(files)->n[FILE_OUTSIDE], 4);
	assert_int_equal(file_service_get_counters(files)->n[FILE_FOUND], 3);
}

/* Even a path that nobody checked leads nowhere. */
static void the_kernel_holds_the_line_too(void **state)
{
	assert_int_equal(http("/os/../secret", NULL), FILE_OUTSIDE);
	assert_int_equal(http("/os/./../secret", NULL), FILE_OUTSIDE);
}

static void only_regular_files_are_opened(void **state)
{
	assert_int_equal(http("/os/fifo", NULL), FILE_NOT_REGULAR);
	assert_int_equal(http("/os", NULL), FILE_NOT_REGULAR);
	assert_int_equal(http("/os/", NULL), FILE_NOT_REGULAR);
	assert_int_equal(tftp("ipxe", NULL), FILE_NOT_REGULAR);
	assert_int_equal(file_service_get_counters(files)->n[FILE_NOT_REGULAR], 4);
}

static void what_we_may_not_read_is_refused(void **state)
{
	const uid_t nobody = 65534, self = geteuid();
	int mine, other;

	put("os/mine", "x");
	put("os/ours", "y");
	assert_int_equal(fchmodat(dir_fd, "os/mine", 0, 0), 0);
	assert_int_equal(fchmod(dir_fd, 0755), 0);
	if (self == 0) /* root may read everything */
		assert_int_equal(seteuid(nobody), 0);
	mine = http("/os/mine", NULL);
	other = http("/os/ours", "y");
	assert_int_equal(seteuid(self), 0);
	assert_int_equal(mine, FILE_NO_ACCESS);
	assert_int_equal(other, FILE_FOUND);
}

static void tftp_names_are_taken_from_the_root(void **state)
{
	char full[96];

	assert_int_equal(tftp("undionly.kpxe", "bios"), FILE_FOUND);
	assert_int_equal(tftp("/undionly.kpxe", "bios"), FILE_FOUND);
	assert_int_equal(tftp("//ipxe//snp.efi", "efi"), FILE_FOUND);
	assert_int_equal(tftp("/tftpboot/undionly.kpxe", "bios"), FILE_FOUND);
	assert_int_equal(tftp("tftpboot/ipxe/snp.efi", "efi"), FILE_FOUND);
	(void)snprintf(full, sizeof(full), "%s/undionly.kpxe", tftp_root);
	assert_int_equal(tftp(full, "bios"), FILE_FOUND);
	assert_int_equal(tftp("undionly.kpxe\xff", "bios"), FILE_FOUND);
	assert_int_equal(tftp("undionly.kpxe\xff\xff\x20", "bios"), FILE_FOUND);
	assert_int_equal(tftp("autoexec.ipxe", NULL), FILE_ABSENT);
	assert_int_equal(tftp("/os/vmlinuz", NULL), FILE_ABSENT);
}

static void bad_names_are_refused_and_counted_by_reason(void **state)
{
	const struct file_service_counters *counters = file_service_get_counters(files);
	struct file_opened opened;

	assert_int_equal(tftp("../secret", NULL), FILE_BAD_PATH);
	assert_int_equal(tftp("/tftpboot/../../secret", NULL), FILE_BAD_PATH);
	assert_int_equal(tftp("..\\secret", NULL), FILE_BAD_PATH);
	assert_int_equal(tftp("%2e%2e/secret", NULL), FILE_BAD_PATH);
	assert_int_equal(file_service_open_tftp(files, slice_make("a\0b", 3), &opened),
	                 FILE_BAD_PATH);
	file_service_count_bad_path(files, URL_PATH_NUL);
	assert_int_equal(counters->n[FILE_BAD_PATH], 6);
	assert_int_equal(counters->n_bad_path[URL_PATH_PARENT], 2);
	assert_int_equal(counters->n_bad_path[URL_PATH_BACKSLASH], 1);
	assert_int_equal(counters->n_bad_path[URL_PATH_TRICK], 1);
	assert_int_equal(counters->n_bad_path[URL_PATH_NUL], 2);
	assert_int_equal(counters->n[FILE_FOUND], 0);
}

static void a_changed_file_is_told_from_the_old_one(void **state)
{
	struct file_opened before, after;

	put("os/image", "one");
	assert_int_equal(file_service_open(files, SLICE_LITERAL("/os/image"), &before), FILE_FOUND);
	put("os/image.new", "two");
	assert_int_equal(renameat(dir_fd, "os/image.new", dir_fd, "os/image"), 0);
	assert_int_equal(file_service_open(files, SLICE_LITERAL("/os/image"), &after), FILE_FOUND);
	assert_true(before.inode != after.inode || before.ctime_ns != after.ctime_ns);
	fd_close(&before.fd);
	fd_close(&after.fd);
}

static void without_a_tftp_root_nothing_is_found(void **state)
{
	struct file_service *none;
	struct file_opened opened;

	assert_int_equal(file_service_new(NULL, 0, &none), 0);
	assert_int_equal(file_service_open_tftp(none, SLICE_LITERAL("a"), &opened), FILE_NO_ROOT);
	assert_null(file_service_free(none));
	assert_int_equal(file_service_new(NULL, FILE_SERVICE_ROOTS_MAX + 1, &none), -EINVAL);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, begin, end)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_path_is_looked_up_below_the_longest_prefix),
		TEST(a_directory_made_later_counts),
		TEST(links_are_followed_inside_only),
		TEST(the_kernel_holds_the_line_too),
		TEST(only_regular_files_are_opened),
		TEST(what_we_may_not_read_is_refused),
		TEST(tftp_names_are_taken_from_the_root),
		TEST(bad_names_are_refused_and_counted_by_reason),
		TEST(a_changed_file_is_told_from_the_old_one),
		TEST(without_a_tftp_root_nothing_is_found),
	};

	return cmocka_run_group_tests(tests, make_tree, remove_tree);
}

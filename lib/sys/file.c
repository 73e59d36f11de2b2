/* SPDX-License-Identifier: MulanPSL-2.0 */
#include "lib/sys/file.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/openat2.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "lib/base/macro.h"
#include "lib/base/text.h"
#include "lib/sys/fd.h"
#include "lib/sys/random.h"

int file_read_all(int dir_fd, const char *path, size_t max, struct buffer *ret)
{
	CLEANUP(fd_closep) int fd = openat(dir_fd, path, O_RDONLY | O_CLOEXEC | O_NOCTTY);
	struct buffer content = BUFFER_NULL;
	char chunk[16384];
	ssize_t n;
	int r;

	if (fd < 0)
		return -errno;
	content.max = max;
	for (;;) {
		n = read(fd, chunk, sizeof(chunk));
		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			break;
		buffer_append(&content, chunk, (size_t)n);
		if (content.failed)
			break;
	}
	r = n < 0 ? -errno : content.failed ? -EFBIG : 0;
	if (r < 0) {
		buffer_deinit(&content);
		return r;
	}
	*ret = content;
	return 0;
}

static int write_new(int dir_fd, const char *name, struct slice content, mode_t mode,
                     bool is_synced)
{
	CLEANUP(fd_closep)
	int fd = openat(dir_fd, name, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, mode);
	int r;

	if (fd < 0)
		return -errno;
	r = fd_write_all(fd, content.data, content.len);
	if (r < 0)
		return r;
	return is_synced && fsync(fd) < 0 ? -errno : 0;
}

static int replace(int dir_fd, const char *name, struct slice content, mode_t mode, bool is_synced)
{
	char temporary[NAME_MAX + 1];
	uint64_t tag;
	int n, r;

	r = random_bytes(&tag, sizeof(tag));
	if (r < 0)
		return r;
	n = snprintf(temporary, sizeof(temporary), ".%s.%016llx", name, (unsigned long long)tag);
	if (n < 0 || (size_t)n >= sizeof(temporary))
		return -ENAMETOOLONG;
	r = write_new(dir_fd, temporary, content, mode, is_synced);
	if (r == 0 && renameat(dir_fd, temporary, dir_fd, name) < 0)
		r = -errno;
	if (r < 0)
		(void)unlinkat(dir_fd, temporary, 0); /* best effort: the error that counts is r */
	return r;
}

int file_write_durably(int dir_fd, const char *name, struct slice content, mode_t mode)
{
	int r = replace(dir_fd, name, content, mode, true);

	if (r < 0)
		return r;
	return fsync(dir_fd) < 0 ? -errno : 0;
}

int file_write_soon(int dir_fd, const char *name, struct slice content, mode_t mode)
{
	return replace(dir_fd, name, content, mode, false);
}

int file_open_beneath(int dir_fd, const char *path, uint64_t flags, mode_t mode)
{
	struct open_how how = {
		.flags = flags | O_CLOEXEC,
		.mode = flags & (O_CREAT | O_TMPFILE) ? mode : 0,
		.resolve = RESOLVE_BENEATH | RESOLVE_NO_MAGICLINKS,
	};
	long fd;

	do
		fd = syscall(SYS_openat2, dir_fd, path, &how, sizeof(how));
	while (fd < 0 && (errno == EINTR || errno == EAGAIN));
	return fd < 0 ? -errno : (int)fd;
}

/* One step of file_make_dirs: makes and opens `name` below dir_fd. */
static int enter_dir(int dir_fd, struct slice name, mode_t mode)
{
	char text[NAME_MAX + 1];
	int fd;

	if (text_copy(text, sizeof(text), name) != 0)
		return -ENAMETOOLONG;
	if (strcmp(text, "..") == 0)
		return -EXDEV;
	if (mkdirat(dir_fd, text, mode) < 0 && errno != EEXIST)
		return -errno;
	fd = openat(dir_fd, text, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	return fd < 0 ? -errno : fd;
}

int file_make_dirs(int dir_fd, const char *path, mode_t mode)
{
	CLEANUP(fd_closep) int fd = openat(dir_fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	struct slice rest = slice_from_text(path);

	if (fd < 0)
		return -errno;
	while (rest.len > 0) {
		struct slice name = slice_cut(&rest, '/');
		int next;

		if (name.len == 0 || text_equal(name, "."))
			continue;
		next = enter_dir(fd, name, mode);
		if (next < 0)
			return next;
		fd_close(&fd);
		fd = next;
	}
	return steal_fd(&fd);
}

int file_make_path(const char *path, mode_t mode)
{
	CLEANUP(freep) char *part = text_dup(slice_from_text(path));

	if (!part)
		return -ENOMEM;
	for (char *p = part + (*part == '/');; p++) {
		char c = *p;

		if (c != '/' && c != '\0')
			continue;
		*p = '\0';
		if (*part && mkdir(part, mode) < 0 && errno != EEXIST)
			return -errno;
		*p = c;
		if (c == '\0')
			return 0;
	}
}

/* SPDX-License-Identifier: MulanPSL-2.0 */
#include "initramfs/new_root.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/openat2.h>
#include <stdio.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "lib/base/macro.h"
#include "lib/base/text.h"
#include "lib/sys/fd.h"

#define LINKS_MAX 40 /* as the kernel's own */

struct walk {
	int root_fd;
	char done[PATH_MAX]; /* names without links, from "." */
	char rest[PATH_MAX]; /* what is to be looked at */
	unsigned n_links;
};

/* Puts the target of a link before what is left. Returns 0 or -errno. */
static int follow_link(struct walk *w, const char *target)
{
	char joined[PATH_MAX];
	int n = snprintf(joined, sizeof(joined), "%s/%s", target, w->rest);

	if (++w->n_links > LINKS_MAX)
		return -ELOOP;
	if (n < 0 || (size_t)n >= sizeof(joined))
		return -ENAMETOOLONG;
	memcpy(w->rest, joined, (size_t)n + 1);
	if (target[0] == '/')
		w->done[1] = '\0';
	return 0;
}

/* One name: a step down, up or through a link. Returns 0 or -errno. */
static int step(struct walk *w, struct slice name, bool follow)
{
	size_t len = strlen(w->done);
	char target[PATH_MAX];
	ssize_t n;

	if (name.len == 0 || text_equal(name, "."))
		return 0;
	if (text_equal(name, "..")) { /* not above the root */
		char *slash = strrchr(w->done, '/');

		if (slash)
			*slash = '\0';
		return 0;
	}
	if (name.len + 2 > sizeof(w->done) - len)
		return -ENAMETOOLONG;
	w->done[len] = '/';
	memcpy(w->done + len + 1, name.data, name.len);
	w->done[len + 1 + name.len] = '\0';
	n = follow ? readlinkat(w->root_fd, w->done, target, sizeof(target)) : -1;
	if (n < 0 || (size_t)n >= sizeof(target))
		return 0; /* no link, or nothing: open tells */
	target[n] = '\0';
	w->done[len] = '\0';
	return follow_link(w, target);
}

int new_root_walk(int root_fd, const char *path, int flags, mode_t mode)
{
	struct walk w = { .root_fd = root_fd, .done = "." };
	int fd, r;

	r = follow_link(&w, path);
	while (r == 0 && w.rest[0]) {
		char before[PATH_MAX];
		struct slice rest, name;
		bool is_last;

		memcpy(before, w.rest, sizeof(before));
		rest = slice_from_text(before);
		name = slice_cut(&rest, '/');
		is_last = text_trim(rest).len == 0;
		memmove(w.rest, rest.len > 0 ? rest.data : (const uint8_t *)"", rest.len);
		w.rest[rest.len] = '\0';
		r = step(&w, name, !is_last || !(flags & O_NOFOLLOW));
	}
	if (r < 0)
		return r;
	fd = openat(root_fd, w.done, flags | O_NOFOLLOW | O_CLOEXEC, mode);
	return fd < 0 ? -errno : fd;
}

int new_root_open(int root_fd, const char *path, uint64_t flags, mode_t mode)
{
	const struct open_how how = {
		.flags = flags | O_CLOEXEC,
		.mode = flags & O_CREAT ? mode : 0,
		.resolve = RESOLVE_IN_ROOT | RESOLVE_NO_MAGICLINKS,
	};
	long fd;

	do {
		fd = syscall(SYS_openat2, root_fd, path, &how, sizeof(how));
	} while (fd < 0 && (errno == EINTR || errno == EAGAIN)); /* EAGAIN: a rename raced */
	if (fd < 0 && errno == ENOSYS)
		return new_root_walk(root_fd, path, (int)flags, mode);
	return fd < 0 ? -errno : (int)fd;
}

int new_root_path(int fd, char *path, size_t size)
{
	char link[64];
	ssize_t n;

	(void)snprintf(link, sizeof(link), "/proc/self/fd/%d", fd);
	n = readlink(link, path, size);
	if (n < 0)
		return -errno;
	if ((size_t)n >= size)
		return -ENAMETOOLONG;
	path[n] = '\0';
	return 0;
}

int new_root_make_dirs(int root_fd, const char *path, mode_t mode)
{
	CLEANUP(fd_closep) int fd = -1;
	char done[1024] = ".";
	struct slice rest = slice_from_text(path);
	size_t len = 1;

	fd = new_root_open(root_fd, ".", O_PATH | O_DIRECTORY, 0);
	while (fd >= 0 && rest.len > 0) {
		struct slice part = slice_cut(&rest, '/');
		char name[256];

		if (part.len == 0)
			continue;
		if (text_copy(name, sizeof(name), part) != 0 || part.len + 2 > sizeof(done) - len)
			return -ENAMETOOLONG;
		if (mkdirat(fd, name, mode) < 0 && errno != EEXIST)
			return -errno;
		done[len++] = '/';
		memcpy(done + len, name, part.len + 1);
		len += part.len;
		fd_close(&fd);
		/* from the top: the part may be a link to elsewhere in the root */
		fd = new_root_open(root_fd, done, O_PATH | O_DIRECTORY, 0);
	}
	return fd < 0 ? fd : steal_fd(&fd);
}

int new_root_write(int root_fd, const char *directory, const char *name, struct slice content,
                   mode_t mode)
{
	CLEANUP(fd_closep) int dir = -1;
	CLEANUP(fd_closep) int fd = -1;
	int r;

	dir = new_root_make_dirs(root_fd, directory, 0755);
	if (dir < 0)
		return dir;
	if (unlinkat(dir, name, 0) < 0 && errno != ENOENT)
		return -errno;
	fd = openat(dir, name, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, mode);
	if (fd < 0)
		return -errno;
	r = fd_write_all(fd, content.data, content.len);
	if (r < 0)
		return r;
	return fchmod(fd, mode) < 0 ? -errno : 0;
}

int new_root_read(int root_fd, const char *path, size_t max, struct buffer *ret)
{
	CLEANUP(fd_closep) int fd = -1;
	char room[4096];
	ssize_t n;

	fd = new_root_open(root_fd, path, O_RDONLY | O_NONBLOCK, 0);
	if (fd < 0)
		return fd;
	for (;;) {
		n = read(fd, room, sizeof(room));
		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return n < 0 ? -errno : buffer_error(ret);
		if ((size_t)n > max - ret->len)
			return -EFBIG;
		buffer_append(ret, room, (size_t)n);
	}
}

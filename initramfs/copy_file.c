/* SPDX-License-Identifier: MulanPSL-2.0 */
#include "initramfs/copy_file.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "lib/base/macro.h"
#include "lib/sys/fd.h"

#define CHUNK ((size_t)128 << 10)

/* Attributes that a file system does not have, or not from us, are no error of ours. */
static bool is_refused(int error)
{
	return error == EOPNOTSUPP || error == EPERM || error == EINVAL;
}

static int copy_xattr(int from, int to, const char *name)
{
	CLEANUP(freep) char *value = NULL;
	ssize_t size = fgetxattr(from, name, NULL, 0);

	if (size < 0)
		return errno == ENODATA || is_refused(errno) ? 0 : -errno;
	value = malloc((size_t)size + 1);
	if (!value)
		return -ENOMEM;
	size = fgetxattr(from, name, value, (size_t)size);
	if (size < 0)
		return errno == ENODATA ? 0 : -errno;
	if (fsetxattr(to, name, value, (size_t)size, 0) < 0 && !is_refused(errno))
		return -errno;
	return 0;
}

static int copy_xattrs(int from, int to)
{
	CLEANUP(freep) char *names = NULL;
	ssize_t size = flistxattr(from, NULL, 0);
	int r;

	if (size < 0)
		return is_refused(errno) ? 0 : -errno;
	if (size == 0)
		return 0;
	names = malloc((size_t)size);
	if (!names)
		return -ENOMEM;
	size = flistxattr(from, names, (size_t)size);
	for (ssize_t at = 0; at < size; at += (ssize_t)strlen(names + at) + 1) {
		r = copy_xattr(from, to, names + at);
		if (r < 0)
			return r;
	}
	return 0;
}

int copy_attributes(int from, int to, const struct stat *st)
{
	const struct timespec times[2] = { st->st_atim, st->st_mtim };
	int r;

	/* in this order: chown takes set-user-ID bits and capabilities away, writing changes times
	 */
	if (fchown(to, st->st_uid, st->st_gid) < 0)
		return -errno;
	if (fchmod(to, st->st_mode & 07777) < 0)
		return -errno;
	r = copy_xattrs(from, to);
	if (r < 0)
		return r;
	return futimens(to, times) < 0 ? -errno : 0;
}

/* Copies [at, end). Returns 0 or -errno; a file that became shorter is an end. */
static int copy_range(int from, int to, off_t at, off_t end, char *room)
{
	while (at < end) {
		ssize_t n = pread(from, room, MIN(CHUNK, (size_t)(end - at)), at), done = 0;

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return n < 0 ? -errno : 0;
		while (done < n) {
			ssize_t m = pwrite(to, room + done, (size_t)(n - done), at + done);

			if (m < 0 && errno != EINTR)
				return -errno;
			done += MAX(m, 0);
		}
		at += n;
	}
	return 0;
}

/* The parts that hold data; what is between them is never written. */
static int copy_data(int from, int to, off_t size)
{
	CLEANUP(freep) char *room = NULL;
	off_t data, hole = 0;
	int r;

	if (size == 0)
		return 0;
	room = malloc(CHUNK);
	if (!room)
		return -ENOMEM;
	while (hole < size) {
		data = lseek(from, hole, SEEK_DATA);
		if (data < 0 && errno == ENXIO)
			break;
		if (data < 0) { /* a file system that knows no holes */
			data = hole;
			hole = size;
		} else {
			hole = lseek(from, data, SEEK_HOLE);
			if (hole < 0)
				hole = size;
		}
		r = copy_range(from, to, data, MIN(hole, size), room);
		if (r < 0)
			return r;
	}
	return ftruncate(to, size) < 0 ? -errno : 0;
}

static int copy_regular(int from, int to, const char *name, const struct stat *st)
{
	CLEANUP(fd_closep) int source = -1;
	CLEANUP(fd_closep) int target = -1;
	int r;

	source = openat(from, name, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
	if (source < 0)
		return -errno;
	(void)posix_fadvise(source, 0, 0,
	                    POSIX_FADV_SEQUENTIAL); /* advice: it reads further ahead */
	target = openat(to, name, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
	if (target < 0)
		return -errno;
	r = copy_data(source, target, st->st_size);
	if (r < 0)
		return r;
	return copy_attributes(source, target, st);
}

/* Links and nodes have no fd to read attributes through; theirs are owner, mode and times. */
static int copy_node(int to, const char *name, const struct stat *st)
{
	const struct timespec times[2] = { st->st_atim, st->st_mtim };

	if (fchownat(to, name, st->st_uid, st->st_gid, AT_SYMLINK_NOFOLLOW) < 0)
		return -errno;
	if (!S_ISLNK(st->st_mode) && fchmodat(to, name, st->st_mode & 07777, 0) < 0)
		return -errno;
	return utimensat(to, name, times, AT_SYMLINK_NOFOLLOW) < 0 ? -errno : 0;
}

int copy_file(int from, int to, const char *name, const struct stat *st)
{
	char target[PATH_MAX];
	ssize_t len;

	if (S_ISREG(st->st_mode))
		return copy_regular(from, to, name, st);
	if (S_ISLNK(st->st_mode)) {
		len = readlinkat(from, name, target, sizeof(target));
		if (len < 0)
			return -errno;
		if ((size_t)len == sizeof(target))
			return -ENAMETOOLONG;
		target[len] = '\0';
		if (symlinkat(target, to, name) < 0)
			return -errno;
	} else if (mknodat(to, name, st->st_mode & (S_IFMT | 07777), st->st_rdev) < 0) {
		return -errno;
	}
	return copy_node(to, name, st);
}

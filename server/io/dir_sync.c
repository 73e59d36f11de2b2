/* SPDX-License-Identifier: MulanPSL-2.0 */
#include "server/io/dir_sync.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/base/macro.h"
#include "lib/sys/fd.h"

#define KNOWN_MAX 64 /* jobs that upload at once, and the few directories above them */
#define DEPTH_MAX 64 /* far above what a result's path has */

/* A directory whose own name is on the disk. birth 0: an empty place. */
struct known {
	uint64_t inode;
	int64_t birth; /* nanoseconds: an inode's number comes again, its birth does not */
	uint32_t major, minor;
};

static struct known known[KNOWN_MAX];
static size_t next_known;

static int identify(int fd, struct known *ret)
{
	struct statx st;

	if (statx(fd, "", AT_EMPTY_PATH, STATX_INO | STATX_BTIME, &st) < 0)
		return -errno;
	*ret = (struct known){ .inode = st.stx_ino,
		               .major = st.stx_dev_major,
		               .minor = st.stx_dev_minor };
	if (st.stx_mask & STATX_BTIME)
		ret->birth = st.stx_btime.tv_sec * INT64_C(1000000000) + st.stx_btime.tv_nsec;
	return 0;
}

static bool is_same_inode(const struct known *a, const struct known *b)
{
	return a->inode == b->inode && a->major == b->major && a->minor == b->minor;
}

static bool is_known(const struct known *dir)
{
	for (size_t i = 0; dir->birth != 0 && i < KNOWN_MAX; i++)
		if (known[i].birth == dir->birth && is_same_inode(&known[i], dir))
			return true;
	return false;
}

static void remember(const struct known *dir)
{
	if (dir->birth == 0)
		return;
	known[next_known] = *dir;
	next_known = (next_known + 1) % KNOWN_MAX;
}

/*
 * Makes the name of *fd durable and goes to its parent. Returns 1 when that is to be looked at too,
 * 0 when all is done.
 */
static int go_up(int *fd, struct known *dir)
{
	CLEANUP(fd_closep)
	int parent = openat(*fd, "..", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	struct known above = { .birth = 0 };
	int r;

	if (parent < 0)
		return errno == EACCES ? 0 : -errno;
	r = identify(parent, &above);
	if (r < 0)
		return r;
	if (is_same_inode(&above, dir) || above.major != dir->major || above.minor != dir->minor)
		return 0; /* the root of the file system */
	if (fsync(parent) < 0)
		return -errno;
	remember(dir);
	*dir = above;
	fd_close(fd);
	*fd = steal_fd(&parent);
	return 1;
}

int dir_sync(int dir_fd)
{
	CLEANUP(fd_closep) int fd = -1;
	struct known dir = { .birth = 0 };
	int r;

	if (fsync(dir_fd) < 0)
		return -errno;
	r = identify(dir_fd, &dir);
	if (r < 0 || is_known(&dir))
		return r;
	fd = fcntl(dir_fd, F_DUPFD_CLOEXEC, 0);
	if (fd < 0)
		return -errno;
	for (int i = 0; i < DEPTH_MAX && !is_known(&dir); i++) {
		r = go_up(&fd, &dir);
		if (r <= 0)
			return r;
	}
	return 0;
}

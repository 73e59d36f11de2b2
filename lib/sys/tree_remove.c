/* SPDX-License-Identifier: MulanPSL-2.0 */
#include "lib/sys/tree_remove.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/base/macro.h"
#include "lib/sys/fd.h"

struct piece {
	unsigned left; /* entries that may go */
	unsigned depth;
};

static int remove_entry(int dir_fd, const char *name, struct piece *piece);

/* One entry less to remove. Returns whether there was one left. */
static bool take(struct piece *piece)
{
	if (piece->left == 0)
		return false;
	piece->left--;
	return true;
}

/* Takes a piece off the end of a large file. Returns TREE_MORE, 0 when it may go whole, -errno. */
static int shorten(int dir_fd, const char *name, const struct stat *st)
{
	CLEANUP(fd_closep) int fd = -1;

	if (!S_ISREG(st->st_mode) || st->st_nlink > 1 || st->st_size <= TREE_PIECE_BYTES)
		return 0;
	fd = openat(dir_fd, name, O_WRONLY | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0 || ftruncate(fd, st->st_size - TREE_PIECE_BYTES) < 0)
		return 0; /* a file that cannot be written may still be removed */
	return TREE_MORE;
}

static int remove_all_in(DIR *dir, struct piece *piece)
{
	struct dirent *entry;
	int r = 0;

	errno = 0;
	while (r == 0 && (entry = readdir(dir))) { /* NOLINT(concurrency-mt-unsafe): one thread */
		if (strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0)
			r = remove_entry(dirfd(dir), entry->d_name, piece);
		if (r == 0)
			errno = 0;
	}
	return r == 0 && errno ? -errno : r;
}

static int remove_directory(int dir_fd, const char *name, struct piece *piece)
{
	int fd, r;
	DIR *dir;

	if (piece->depth == TREE_DEPTH_MAX)
		return -ELOOP;
	fd = openat(dir_fd, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0)
		return errno == ENOENT ? 0 : -errno;
	dir = fdopendir(fd);
	if (!dir) {
		fd_close(&fd);
		return -ENOMEM;
	}
	piece->depth++;
	r = remove_all_in(dir, piece);
	piece->depth--;
	(void)closedir(dir);
	if (r != 0)
		return r;
	if (!take(piece))
		return TREE_MORE;
	if (unlinkat(dir_fd, name, AT_REMOVEDIR) == 0 || errno == ENOENT)
		return 0;
	/* readdir may pass over what came, or moved, while we removed: it is read again */
	return errno == ENOTEMPTY || errno == EEXIST ? TREE_MORE : -errno;
}

static int remove_entry(int dir_fd, const char *name, struct piece *piece)
{
	struct stat st;
	int r;

	if (fstatat(dir_fd, name, &st, AT_SYMLINK_NOFOLLOW) < 0)
		return errno == ENOENT ? 0 : -errno;
	if (S_ISDIR(st.st_mode))
		return remove_directory(dir_fd, name, piece);
	if (!take(piece))
		return TREE_MORE;
	r = shorten(dir_fd, name, &st);
	if (r != 0)
		return r;
	return unlinkat(dir_fd, name, 0) < 0 && errno != ENOENT ? -errno : 0;
}

int tree_remove_piece(int dir_fd, const char *name, unsigned max)
{
	struct piece piece = { .left = max };
	int r = remove_entry(dir_fd, name, &piece);

	if (r != 0)
		return r;
	return fsync(dir_fd) < 0 ? -errno : 0;
}

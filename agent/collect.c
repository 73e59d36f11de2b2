/* SPDX-License-Identifier: MulanPSL-2.0 */
#include "agent/collect.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/base/macro.h"
#include "lib/base/text.h"
#include "lib/sys/fd.h"

#define DEPTH_MAX 40

static int add_file(struct collected *c, const char *path, const struct stat *st)
{
	struct collected_file *more;

	if ((c->n_files & (c->n_files - 1)) == 0) { /* a power of two: time to double */
		more = reallocarray(c->files, MAX(c->n_files * 2, (size_t)1), sizeof(*more));
		if (!more)
			return -ENOMEM;
		c->files = more;
	}
	c->files[c->n_files] = (struct collected_file){
		.path = text_dup(slice_from_text(path)),
		.size = (uint64_t)st->st_size,
		.device = st->st_dev,
		.inode = st->st_ino,
	};
	if (!c->files[c->n_files].path)
		return -ENOMEM;
	c->n_files++;
	return 0;
}

static int walk(int parent_fd, const char *name, const char *prefix, unsigned depth, size_t max,
                struct collected *c);

static int visit(int dir_fd, const char *name, const char *prefix, unsigned depth, size_t max,
                 struct collected *c)
{
	CLEANUP(freep) char *path = text_format("%s%s%s", prefix, prefix[0] ? "/" : "", name);
	struct stat st;

	if (!path)
		return -ENOMEM;
	if (fstatat(dir_fd, name, &st, AT_SYMLINK_NOFOLLOW) < 0)
		return 0; /* gone meanwhile */
	if (S_ISDIR(st.st_mode))
		return walk(dir_fd, name, path, depth + 1, max, c);
	if (!S_ISREG(st.st_mode))
		return 0;
	if (c->n_files >= max) {
		c->n_left_out++;
		return 0;
	}
	return add_file(c, path, &st);
}

static int walk(int parent_fd, const char *name, const char *prefix, unsigned depth, size_t max,
                struct collected *c)
{
	int fd = depth > DEPTH_MAX ? -1
	                           : openat(parent_fd, name, O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	DIR *dir = fd < 0 ? NULL : fdopendir(fd);
	const struct dirent *entry;
	int r = 0;

	if (!dir) {
		fd_close(&fd);
		c->n_left_out++;
		return 0;
	}
	while (r == 0 && (entry = readdir(dir)) != NULL)
		if (strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0)
			r = visit(fd, entry->d_name, prefix, depth, max, c);
	(void)closedir(dir);
	return r;
}

int collect_files(int dir_fd, size_t max, struct collected *c)
{
	*c = (struct collected){ .files = NULL };
	return walk(dir_fd, ".", "", 0, max, c);
}

void collected_deinit(struct collected *c)
{
	for (size_t i = 0; i < c->n_files; i++)
		free(c->files[i].path);
	free(c->files);
	*c = (struct collected){ .files = NULL };
}

/* SPDX-License-Identifier: MulanPSL-2.0 */
/*
 * Each directory of the target is opened by its whole path from the root, because a link in the
 * root may lead anywhere in it; what is made inside a directory is made through its fd.
 */
#include "initramfs/copy_tree.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "initramfs/copy_file.h"
#include "initramfs/new_root.h"
#include "lib/base/hash.h"
#include "lib/base/macro.h"
#include "lib/base/text.h"
#include "lib/sys/fd.h"

#define DEPTH_MAX 64 /* directories in directories, with an fd or two each */

/* A file with more than one name, and where the first of them went. */
struct linked {
	struct map_node node;
	struct {
		dev_t dev;
		ino_t ino;
	} key;
	char path[]; /* in the root */
};

struct copier {
	const struct copy_request *request;
	bool is_counting;   /* nothing is written */
	bool is_fresh;      /* the directory at hand is new: nothing is in the way there */
	const char *behind; /* at names that an earlier run has copied, up to this one; or NULL */
	struct map links;
	struct copy_result *result;
	char path[PATH_MAX]; /* in the root, of what is at hand */
	size_t len;
	unsigned depth;
};

static struct slice link_key(const struct map_node *node)
{
	const struct linked *linked = CONTAINER_OF(node, struct linked, node);

	return slice_make(&linked->key, sizeof(linked->key));
}

static void close_directory(DIR **directory)
{
	if (*directory)
		(void)closedir(*directory);
}

/* Makes room for a name that is to be made: 0, or 1 when what is there stays, or -errno. */
static int clear_name(struct copier *c, int dir, const char *name)
{
	struct stat st;

	if (c->is_fresh)
		return 0;
	if (fstatat(dir, name, &st, AT_SYMLINK_NOFOLLOW) < 0)
		return errno == ENOENT ? 0 : -errno;
	if (c->request->no_clobber || S_ISDIR(st.st_mode)) {
		c->result->n_kept++;
		return 1;
	}
	return unlinkat(dir, name, 0) < 0 ? -errno : 0;
}

/* Remembers where the first name of a file went. Returns 0 or -ENOMEM. */
static int remember_link(struct copier *c, const struct stat *st)
{
	struct linked *linked = calloc(1, sizeof(*linked) + c->len + 1);
	int r;

	if (!linked)
		return -ENOMEM;
	linked->key.dev = st->st_dev;
	linked->key.ino = st->st_ino;
	memcpy(linked->path, c->path, c->len + 1);
	r = map_insert(&c->links, &linked->node);
	if (r < 0)
		free(linked);
	return r < 0 ? r : 0;
}

static struct linked *find_link(struct copier *c, const struct stat *st)
{
	struct linked wanted = { .key = { .dev = st->st_dev, .ino = st->st_ino } };
	struct map_node *node = map_find(&c->links, link_key(&wanted.node));

	return node ? CONTAINER_OF(node, struct linked, node) : NULL;
}

/* A second name of a file that is there. Returns 0, or -errno: then it is copied instead. */
static int make_link(struct copier *c, const struct linked *first, int dir, const char *name)
{
	CLEANUP(fd_closep)
	int fd = new_root_open(c->request->root_fd, first->path, O_PATH | O_NOFOLLOW, 0);

	if (fd < 0)
		return fd;
	return linkat(fd, "", dir, name, AT_EMPTY_PATH) < 0 ? -errno : 0;
}

/* A name that is not a directory. */
static int copy_leaf(struct copier *c, int from, int to, const char *name, const struct stat *st)
{
	bool has_names = S_ISREG(st->st_mode) && st->st_nlink > 1;
	const struct linked *first = has_names && !c->is_counting ? find_link(c, st) : NULL;
	int r = 0;

	if (S_ISSOCK(st->st_mode))
		return 0;
	c->result->n_names++;
	if (S_ISREG(st->st_mode))
		c->result->n_name_bytes += (uint64_t)st->st_size;
	if (c->is_counting)
		return 0;
	if (!c->behind) {
		r = clear_name(c, to, name);
		if (r != 0)
			return r < 0 ? r : 0;
		if (first && make_link(c, first, to, name) == 0)
			return 0;
		r = copy_file(from, to, name, st);
		if (r < 0)
			return r;
		c->result->n_files++;
		if (S_ISREG(st->st_mode))
			c->result->n_bytes += (uint64_t)st->st_size;
	}
	return has_names && !first ? remember_link(c, st) : 0;
}

static int copy_entries(struct copier *c, int from, int to);

/* A directory: made, or gone into when the root has it. */
static int copy_directory(struct copier *c, int from, int to, const char *name,
                          const struct stat *st)
{
	bool is_written = !c->is_counting && !c->behind, is_new = true;
	bool was_fresh = c->is_fresh;
	CLEANUP(fd_closep) int source = -1;
	CLEANUP(fd_closep) int target = -1;
	int r;

	c->result->n_names++;
	if (is_written && mkdirat(to, name, 0700) < 0) {
		if (errno != EEXIST)
			return -errno;
		is_new = false;
	}
	if (!c->is_counting)
		target = new_root_open(c->request->root_fd, c->path, O_RDONLY | O_DIRECTORY, 0);
	if (target == -ENOTDIR || target == -ENOENT) { /* a file, or a link to nowhere */
		c->result->n_kept++;
		return 0;
	}
	if (target < 0 && !c->is_counting)
		return target;
	source = openat(from, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (source < 0)
		return -errno;
	c->is_fresh = is_written && is_new;
	r = copy_entries(c, source, target);
	c->is_fresh = was_fresh;
	/* of one that the earlier run was in, everything is there by now but this */
	if (r < 0 || c->is_counting || c->behind || (!is_new && !c->request->is_mirror))
		return r;
	return copy_attributes(source, target, st);
}

/* The name that an earlier run ended with has been passed. */
static void look_for_end(struct copier *c)
{
	if (c->behind && strcmp(c->path, c->behind) == 0)
		c->behind = NULL;
}

static int copy_entry(struct copier *c, int from, int to, const char *name)
{
	size_t before = c->len;
	struct stat st;
	int n, r;

	if (fstatat(from, name, &st, AT_SYMLINK_NOFOLLOW) < 0)
		return -errno;
	n = snprintf(c->path + before, sizeof(c->path) - before, "/%s", name);
	if (n < 0 || (size_t)n >= sizeof(c->path) - before)
		return -ENAMETOOLONG;
	c->len += (size_t)n;
	if (S_ISDIR(st.st_mode))
		r = copy_directory(c, from, to, name, &st);
	else
		r = copy_leaf(c, from, to, name, &st);
	if (r == 0 && c->request->done && !c->behind)
		r = c->request->done(c->request->arg, c->path, c->result);
	if (r < 0) /* the path stays as it is, to be told */
		return r;
	look_for_end(c);
	c->len = before;
	c->path[before] = '\0';
	return 0;
}

/* The names in a directory, in the order of their bytes. */
struct names {
	char **list;
	size_t n, cap;
};

static void free_names(struct names *names)
{
	for (size_t i = 0; i < names->n; i++)
		free(names->list[i]);
	free(names->list);
}

static int add_name(struct names *names, const char *name)
{
	if (names->n == names->cap) {
		size_t cap = names->cap > 0 ? 2 * names->cap : 32;
		char **list = reallocarray(names->list, cap, sizeof(*list));

		if (!list)
			return -ENOMEM;
		names->list = list;
		names->cap = cap;
	}
	names->list[names->n] = strdup(name);
	if (!names->list[names->n])
		return -ENOMEM;
	names->n++;
	return 0;
}

static int compare_names(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

static int read_names(int from, struct names *names)
{
	CLEANUP(close_directory) DIR *entries = NULL;
	const struct dirent *entry;
	int fd, r;

	fd = openat(from, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	entries = fdopendir(fd);
	if (!entries) {
		r = -errno;
		fd_close(&fd);
		return r;
	}
	for (errno = 0; (entry = readdir(entries)); errno = 0) {
		if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0)
			continue;
		r = add_name(names, entry->d_name);
		if (r < 0)
			return r;
	}
	if (errno != 0)
		return -errno;
	if (names->n > 0)
		qsort(names->list, names->n, sizeof(*names->list), compare_names);
	return 0;
}

static int copy_entries(struct copier *c, int from, int to)
{
	CLEANUP(free_names) struct names names = { .n = 0 };
	int r;

	if (c->depth == DEPTH_MAX)
		return -ELOOP;
	r = read_names(from, &names);
	c->depth++;
	for (size_t i = 0; i < names.n && r == 0; i++)
		r = copy_entry(c, from, to, names.list[i]);
	c->depth--;
	return r;
}

static void free_links(struct map *links)
{
	struct map_node *node;

	while ((node = map_first(links))) {
		map_remove(links, node);
		free(CONTAINER_OF(node, struct linked, node));
	}
	map_deinit(links);
}

static struct copier *new_copier(const struct copy_request *request, struct copy_result *result)
{
	/* the keys are numbers of our own disk: nobody to be kept from colliding */
	static const uint64_t seed[2] = { 1, 2 };
	struct copier *c = calloc(1, sizeof(*c));

	if (!c)
		return NULL;
	c->request = request;
	c->result = result;
	*result = (struct copy_result){ .n_files = 0 };
	map_init(&c->links, seed, link_key);
	return c;
}

int copy_tree(const struct copy_request *request, struct copy_result *ret)
{
	CLEANUP(freep) struct copier *c = new_copier(request, ret);
	CLEANUP(fd_closep) int fd = -1;
	int r;

	if (!c)
		return -ENOMEM;
	fd = new_root_make_dirs(request->root_fd, request->target, 0755);
	if (fd < 0)
		return fd;
	c->behind = request->done_to && request->done_to[0] ? request->done_to : NULL;
	c->len = (size_t)snprintf(c->path, sizeof(c->path), "./%.1000s", request->target);
	r = copy_entries(c, request->source_fd, fd);
	if (r == 0 && c->behind) /* what was done to is not there: another source */
		r = -ESTALE;
	if (r < 0) {
		size_t skip = c->len >= sizeof(ret->path) ? c->len - sizeof(ret->path) + 1 : 0;

		(void)snprintf(ret->path, sizeof(ret->path), "%s", c->path + skip);
	}
	free_links(&c->links);
	return r;
}

int copy_tree_count(int fd, struct copy_result *ret)
{
	static const struct copy_request nowhere = { .target = "." };
	CLEANUP(freep) struct copier *c = new_copier(&nowhere, ret);
	int r;

	if (!c)
		return -ENOMEM;
	c->is_counting = true;
	r = copy_entries(c, fd, -1);
	free_links(&c->links);
	return r;
}

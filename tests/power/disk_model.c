/* SPDX-License-Identifier: MulanPSL-2.0 */
#include "tests/power/disk_model.h"

#include <assert.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/types.h>
#include <unistd.h>

#define NODES_MAX 64
#define NAMES_MAX 128

/* A file or directory. */
struct node {
	ino_t inode;
	bool is_dirty; /* bytes that were not synced */
};

/* A name in a directory: as programs see it, and as the disk has it. inode 0: not there. */
struct name {
	ino_t dir, seen, kept;
	char text[64];
};

static struct {
	ino_t root;
	struct node nodes[NODES_MAX];
	size_t n_nodes;
	struct name names[NAMES_MAX];
	size_t n_names;
	unsigned n_steps;
	enum disk_fault fault;
	char leaf[64];
	void (*on_step)(void);
} disk;

static ino_t inode_of(int fd)
{
	struct stat st;

	assert(fstat(fd, &st) == 0);
	return st.st_ino;
}

static ino_t inode_at(int dir_fd, const char *path)
{
	struct stat st;

	return fstatat(dir_fd, path, &st, AT_SYMLINK_NOFOLLOW) == 0 ? st.st_ino : 0;
}

static struct node *node_of(ino_t inode)
{
	for (size_t i = 0; i < disk.n_nodes; i++)
		if (disk.nodes[i].inode == inode)
			return &disk.nodes[i];
	assert(disk.n_nodes < NODES_MAX);
	disk.nodes[disk.n_nodes] = (struct node){ .inode = inode };
	return &disk.nodes[disk.n_nodes++];
}

static struct name *name_of(ino_t dir, const char *text)
{
	for (size_t i = 0; i < disk.n_names; i++)
		if (disk.names[i].dir == dir && strcmp(disk.names[i].text, text) == 0)
			return &disk.names[i];
	assert(disk.n_names < NAMES_MAX && strlen(text) < sizeof(disk.names[0].text));
	disk.names[disk.n_names] = (struct name){ .dir = dir };
	(void)snprintf(disk.names[disk.n_names].text, sizeof(disk.names[0].text), "%s", text);
	return &disk.names[disk.n_names++];
}

static void step(void)
{
	disk.n_steps++;
	if (disk.on_step)
		disk.on_step();
}

void disk_model_begin(int root_fd)
{
	memset(&disk, 0, sizeof(disk));
	disk.root = inode_of(root_fd);
}

void disk_model_set_fault(enum disk_fault fault, const char *leaf)
{
	disk.fault = fault;
	(void)snprintf(disk.leaf, sizeof(disk.leaf), "%s", leaf);
}

void disk_model_watch(void (*on_step)(void))
{
	disk.on_step = on_step;
}

unsigned disk_model_n_steps(void)
{
	return disk.n_steps;
}

/* The inode of a path, by the names that are kept or seen; 0: not there. */
static ino_t look_up(const char *path, bool is_kept, char leaf[64])
{
	ino_t at = disk.root;

	for (const char *p = path; *p && at;) {
		size_t len = strcspn(p, "/");
		const struct name *name;

		assert(len < 64);
		(void)snprintf(leaf, 64, "%.*s", (int)len, p);
		name = name_of(at, leaf);
		at = is_kept ? name->kept : name->seen;
		p += len + (p[len] == '/');
	}
	return at;
}

bool disk_model_is_durable(const char *path)
{
	char leaf[64];
	ino_t inode = look_up(path, true, leaf);

	return inode != 0 && !node_of(inode)->is_dirty;
}

bool disk_model_may_be_torn(const char *path)
{
	char leaf[64];
	ino_t seen = look_up(path, false, leaf), kept = look_up(path, true, leaf);

	return (seen && node_of(seen)->is_dirty) || (kept && node_of(kept)->is_dirty);
}

static bool is_leaf(ino_t dir)
{
	char leaf[64];

	return look_up(disk.leaf, false, leaf) == dir;
}

static bool is_skipped(int fd)
{
	struct stat st;
	bool is_dir;

	assert(fstat(fd, &st) == 0);
	is_dir = S_ISDIR(st.st_mode);
	return (disk.fault == DISK_NO_FSYNC && !is_dir) ||
	       (disk.fault == DISK_NO_DIR_FSYNC && is_dir) ||
	       (disk.fault == DISK_NO_UP_FSYNC && is_dir && !is_leaf(st.st_ino));
}

static void sync_node(int fd)
{
	ino_t inode = inode_of(fd);

	if (is_skipped(fd))
		return;
	node_of(inode)->is_dirty = false;
	for (size_t i = 0; i < disk.n_names; i++)
		if (disk.names[i].dir == inode)
			disk.names[i].kept = disk.names[i].seen;
	step();
}

static void dirty(int fd)
{
	node_of(inode_of(fd))->is_dirty = true;
	step();
}

/* ---- the calls: --wrap=NAME ---- */

int __real_fsync(int fd);
int __real_fdatasync(int fd);
ssize_t __real_write(int fd, const void *data, size_t len);
ssize_t __real_pwrite64(int fd, const void *data, size_t len, off_t at);
int __real_ftruncate64(int fd, off_t size);
int __real_renameat(int from_fd, const char *from, int to_fd, const char *to);
int __real_unlinkat(int dir_fd, const char *name, int flags);
int __real_mkdirat(int dir_fd, const char *name, mode_t mode);
int __real_openat64(int dir_fd, const char *name, int flags, ...);

int __wrap_fsync(int fd);
int __wrap_fdatasync(int fd);
ssize_t __wrap_write(int fd, const void *data, size_t len);
ssize_t __wrap_pwrite64(int fd, const void *data, size_t len, off_t at);
int __wrap_ftruncate64(int fd, off_t size);
int __wrap_renameat(int from_fd, const char *from, int to_fd, const char *to);
int __wrap_unlinkat(int dir_fd, const char *name, int flags);
int __wrap_mkdirat(int dir_fd, const char *name, mode_t mode);
int __wrap_openat64(int dir_fd, const char *name, int flags, ...);

int __wrap_fsync(int fd)
{
	sync_node(fd);
	return 0;
}

int __wrap_fdatasync(int fd)
{
	sync_node(fd);
	return 0;
}

ssize_t __wrap_write(int fd, const void *data, size_t len)
{
	ssize_t n = __real_write(fd, data, len);

	if (disk.root)
		dirty(fd);
	return n;
}

ssize_t __wrap_pwrite64(int fd, const void *data, size_t len, off_t at)
{
	ssize_t n = __real_pwrite64(fd, data, len, at);

	dirty(fd);
	return n;
}

int __wrap_ftruncate64(int fd, off_t size)
{
	struct stat st;
	int r;

	assert(fstat(fd, &st) == 0);
	r = __real_ftruncate64(fd, size);
	if (st.st_size != size) /* else it only gives back what was reserved */
		dirty(fd);
	return r;
}

int __wrap_renameat(int from_fd, const char *from, int to_fd, const char *to)
{
	int r = __real_renameat(from_fd, from, to_fd, to);

	if (r < 0)
		return r;
	name_of(inode_of(to_fd), to)->seen = name_of(inode_of(from_fd), from)->seen;
	name_of(inode_of(from_fd), from)->seen = 0;
	step();
	return 0;
}

int __wrap_unlinkat(int dir_fd, const char *name, int flags)
{
	int r = __real_unlinkat(dir_fd, name, flags);

	if (r == 0) {
		name_of(inode_of(dir_fd), name)->seen = 0;
		step();
	}
	return r;
}

int __wrap_mkdirat(int dir_fd, const char *name, mode_t mode)
{
	int r = __real_mkdirat(dir_fd, name, mode);

	if (r == 0) {
		name_of(inode_of(dir_fd), name)->seen = inode_at(dir_fd, name);
		step();
	}
	return r;
}

int __wrap_openat64(int dir_fd, const char *name, int flags, ...)
{
	bool was_there = inode_at(dir_fd, name) != 0;
	mode_t mode = 0;
	va_list args;
	int fd;

	va_start(args, flags);
	if (flags & O_CREAT)
		mode = va_arg(args, mode_t);
	va_end(args);
	fd = __real_openat64(dir_fd, name, flags, mode);
	if (fd >= 0 && (flags & O_CREAT) && !was_there) {
		name_of(inode_of(dir_fd), name)->seen = inode_of(fd);
		step();
	}
	return fd;
}

/* SPDX-License-Identifier: MulanPSL-2.0 */
/*
 * Everything goes through the directory of the group; a scope's directory may vanish under us when
 * systemd finds it empty.
 */
#include "agent/cgroup.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "lib/base/buffer.h"
#include "lib/base/macro.h"
#include "lib/base/text.h"
#include "lib/sys/fd.h"
#include "lib/sys/file.h"

#define DEPTH_MAX 32 /* nobody nests groups deeper; a limit for the recursion */

/* Where the unified hierarchy is mounted, or NULL. */
static const char *find_mount(void)
{
	static const char *const places[] = { "/sys/fs/cgroup", "/sys/fs/cgroup/unified" };
	struct statfs fs;

	for (size_t i = 0; i < ARRAY_SIZE(places); i++)
		if (statfs(places[i], &fs) == 0 && fs.f_type == CGROUP2_SUPER_MAGIC)
			return places[i];
	return NULL;
}

/* The group of a process as a path in the file system. Returns 0 or -errno. */
static int find_path(pid_t pid, char to[PATH_MAX])
{
	char name[40];
	struct buffer text = BUFFER_NULL;
	struct slice rest;
	const char *mount = find_mount();
	int r;

	if (!mount)
		return -ENOENT;
	(void)snprintf(name, sizeof(name), "/proc/%d/cgroup", (int)pid);
	r = file_read_all(AT_FDCWD, name, 65536, &text);
	if (r < 0)
		return r;
	rest = buffer_slice(&text);
	r = -ENOENT;
	while (rest.len > 0) {
		struct slice line = slice_cut(&rest, '\n');
		int n;

		if (!slice_has_prefix(line, SLICE_LITERAL("0::/")))
			continue;
		n = snprintf(to, PATH_MAX, "%s%.*s", mount, (int)line.len - 3,
		             (const char *)line.data + 3);
		r = n < 0 || n >= PATH_MAX ? -ENAMETOOLONG : 0;
	}
	buffer_deinit(&text);
	return r;
}

static int open_path(struct cgroup *c)
{
	c->dir_fd = open(c->path, O_DIRECTORY | O_CLOEXEC);
	if (c->dir_fd < 0)
		return -errno;
	c->events_fd = openat(c->dir_fd, "cgroup.events", O_RDONLY | O_CLOEXEC);
	return c->events_fd < 0 ? -errno : 0;
}

int cgroup_open_of(pid_t pid, struct cgroup *ret)
{
	struct cgroup c = CGROUP_NULL;
	int r = find_path(pid, c.path);

	if (r == 0)
		r = open_path(&c);
	if (r < 0) {
		cgroup_deinit(&c);
		return r;
	}
	*ret = c;
	return 0;
}

int cgroup_make(const char *name, struct cgroup *ret)
{
	struct cgroup c = CGROUP_NULL;
	char parent[PATH_MAX];
	int r = find_path(getpid(), parent), n;

	if (r < 0)
		return r;
	n = snprintf(c.path, sizeof(c.path), "%s/%s", parent, name);
	if (n < 0 || (size_t)n >= sizeof(c.path))
		return -ENAMETOOLONG;
	if (mkdir(c.path, 0755) < 0 && errno != EEXIST)
		return -errno;
	c.is_made = true;
	r = open_path(&c);
	if (r < 0) {
		cgroup_deinit(&c);
		return r;
	}
	*ret = c;
	return 0;
}

static int write_file(int dir_fd, const char *name, const char *text)
{
	CLEANUP(fd_closep) int fd = openat(dir_fd, name, O_WRONLY | O_CLOEXEC);

	if (fd < 0)
		return -errno;
	return fd_write_all(fd, text, strlen(text));
}

int cgroup_add(const struct cgroup *c, pid_t pid)
{
	char text[24];

	(void)snprintf(text, sizeof(text), "%d", (int)pid);
	return write_file(c->dir_fd, "cgroup.procs", text);
}

bool cgroup_equal(const struct cgroup *a, const struct cgroup *b)
{
	return strcmp(a->path, b->path) == 0;
}

bool cgroup_is_populated(const struct cgroup *c)
{
	char text[256];
	ssize_t n = fd_pread_all(c->events_fd, text, sizeof(text) - 1, 0);

	if (n <= 0)
		return false; /* ENODEV: the group has been removed */
	text[n] = '\0';
	return strstr(text, "populated 1") != NULL;
}

static void signal_members(int dir_fd, int signal)
{
	struct buffer text = BUFFER_NULL;
	struct slice rest;
	uint64_t pid;

	if (file_read_all(dir_fd, "cgroup.procs", 1 << 20, &text) < 0)
		return;
	rest = buffer_slice(&text);
	while (rest.len > 0)
		if (text_parse_u64(slice_cut(&rest, '\n'), INT_MAX, &pid) == 0 && pid > 0)
			(void)kill((pid_t)pid, signal);
	buffer_deinit(&text);
}

/* Calls visit for each group below dir_fd, the deepest first. */
static void each_child(int dir_fd, unsigned depth,
                       void (*visit)(int parent_fd, const char *name, int arg), int arg)
{
	int copy = openat(dir_fd, ".", O_DIRECTORY | O_CLOEXEC);
	DIR *dir = copy < 0 ? NULL : fdopendir(copy);
	const struct dirent *entry;

	if (!dir) {
		fd_close(&copy);
		return;
	}
	while ((entry = readdir(dir)) != NULL) {
		CLEANUP(fd_closep) int child = -1;

		if (entry->d_type != DT_DIR || entry->d_name[0] == '.' || depth == 0)
			continue;
		child = openat(dir_fd, entry->d_name, O_DIRECTORY | O_CLOEXEC);
		if (child >= 0)
			each_child(child, depth - 1, visit, arg);
		visit(dir_fd, entry->d_name, arg);
	}
	(void)closedir(dir);
}

static void signal_child(int parent_fd, const char *name, int signal)
{
	CLEANUP(fd_closep) int fd = openat(parent_fd, name, O_DIRECTORY | O_CLOEXEC);

	if (fd >= 0)
		signal_members(fd, signal);
}

static void remove_child(int parent_fd, const char *name, int arg)
{
	(void)unlinkat(parent_fd, name, AT_REMOVEDIR);
}

void cgroup_signal(const struct cgroup *c, int signal)
{
	signal_members(c->dir_fd, signal);
	each_child(c->dir_fd, DEPTH_MAX, signal_child, signal);
}

void cgroup_kill(const struct cgroup *c)
{
	if (write_file(c->dir_fd, "cgroup.kill", "1") < 0)
		cgroup_signal(c, SIGKILL);
}

void cgroup_deinit(struct cgroup *c)
{
	if (c->is_made && c->dir_fd >= 0) {
		each_child(c->dir_fd, DEPTH_MAX, remove_child, 0);
		(void)rmdir(c->path);
	}
	fd_close(&c->events_fd);
	fd_close(&c->dir_fd);
	*c = CGROUP_NULL;
}

/* SPDX-License-Identifier: MulanPSL-2.0 */
/*
 * A subreaper inherits every orphan below it, so that the parents in /proc always lead here.
 */
#include "agent/tree.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "lib/base/buffer.h"
#include "lib/base/macro.h"
#include "lib/base/text.h"
#include "lib/sys/file.h"

struct process {
	pid_t pid, parent;
	bool is_ours;
};

/* The parent of a process (proc(5), stat: the field after the state), or 0. */
static pid_t find_parent(int proc_fd, const char *pid)
{
	char name[40];
	struct buffer text = BUFFER_NULL;
	const char *p;
	int parent = 0;
	char state;

	(void)snprintf(name, sizeof(name), "%.16s/stat", pid);
	if (file_read_all(proc_fd, name, 8192, &text) < 0)
		return 0;
	p = text.data ? strrchr((const char *)text.data, ')') : NULL; /* a name may hold spaces */
	if (!p || sscanf(p + 1, " %c %d", &state, &parent) != 2)
		parent = 0;
	buffer_deinit(&text);
	return parent;
}

static int list_processes(struct process **ret, size_t *ret_n)
{
	DIR *dir = opendir("/proc");
	const struct dirent *entry;
	struct process *list = NULL;
	size_t n = 0, room = 0;
	uint64_t pid;

	if (!dir)
		return -errno;
	while ((entry = readdir(dir)) != NULL) {
		if (text_parse_u64(slice_from_text(entry->d_name), INT_MAX, &pid) != 0)
			continue;
		if (n == room) {
			struct process *more = reallocarray(list, room + 256, sizeof(*list));

			if (!more)
				break;
			list = more;
			room += 256;
		}
		list[n++] = (struct process){ (pid_t)pid, find_parent(dirfd(dir), entry->d_name),
			                      false };
	}
	(void)closedir(dir);
	*ret = list;
	*ret_n = n;
	return 0;
}

static bool is_ours(const struct process *list, size_t n, pid_t parent)
{
	if (parent == getpid())
		return true;
	for (size_t i = 0; i < n; i++)
		if (list[i].pid == parent)
			return list[i].is_ours;
	return false;
}

int tree_signal(int signal)
{
	CLEANUP(freep) struct process *list = NULL;
	bool changed = true;
	int n_found = 0, r;
	size_t n = 0;

	r = list_processes(&list, &n);
	if (r < 0)
		return r;
	while (changed) { /* at most once per generation */
		changed = false;
		for (size_t i = 0; i < n; i++) {
			if (list[i].is_ours || !is_ours(list, n, list[i].parent))
				continue;
			list[i].is_ours = changed = true;
			(void)kill(list[i].pid, signal);
			n_found++;
		}
	}
	return n_found;
}

/* SPDX-License-Identifier: MulanPSL-2.0 */
/*
 * One control group of the unified hierarchy (kernel: Documentation/admin-guide/cgroup-v2.rst), as
 * a box around all processes of a job: signal them, kill them, know when they are gone.
 */
#pragma once

#include <limits.h>
#include <stdbool.h>
#include <sys/types.h>

struct cgroup {
	int dir_fd;          /* of the group; -1: none */
	int events_fd;       /* its cgroup.events: EPOLLPRI when something changed */
	char path[PATH_MAX]; /* in the file system; for removal */
	bool is_made;        /* by cgroup_make: cgroup_deinit removes it */
};

#define CGROUP_NULL ((struct cgroup){ .dir_fd = -1, .events_fd = -1 })

/*
 * Opens the group that a process is in.
 * Returns 0, or -errno: -ENOENT when there is no unified hierarchy or the process is gone.
 */
int cgroup_open_of(pid_t pid, struct cgroup *ret);

/* Makes a group `name` below the one this process is in. Returns 0 or -errno. */
int cgroup_make(const char *name, struct cgroup *ret);

/* Moves a process into the group. Returns 0 or -errno. */
int cgroup_add(const struct cgroup *c, pid_t pid);

/* Whether two open groups are the same. */
bool cgroup_equal(const struct cgroup *a, const struct cgroup *b);

/* Whether a live process is in the group or below it. A group that is gone has none. */
bool cgroup_is_populated(const struct cgroup *c);

/* Sends a signal to each process in the group and below it; one that forks meanwhile may be missed.
 */
void cgroup_signal(const struct cgroup *c, int signal);

/* Kills all: by cgroup.kill (Linux 5.14), else one by one: call again until it is empty. */
void cgroup_kill(const struct cgroup *c);

/* Closes, and removes a group made here with what is below it. */
void cgroup_deinit(struct cgroup *c);

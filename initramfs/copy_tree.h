/* SPDX-License-Identifier: MulanPSL-2.0 */
/*
 * Copies what the initramfs brought along into the new root: owners, modes, times, extended
 * attributes, hard links and holes as they were; never outside of the root.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

struct copy_result {
	uint64_t n_files, n_bytes; /* what was written */
	unsigned n_kept; /* left as the root had it: a directory where a file was to come, a file
	                    where a directory was, or with no_clobber anything */
	uint64_t n_names, n_name_bytes; /* of the source: all names, and the sizes behind them */
	char path[256];                 /* after an error: where, cut at the front if it must be */
};

struct copy_request {
	int source_fd, root_fd; /* directories */
	const char *target;     /* in the root; made when it is not there */
	bool no_clobber;        /* what is there stays */
	bool is_mirror;         /* directories that are there get the source's attributes too */
	const char *done_to;    /* names up to this one are there from an earlier run, or NULL: as
	                           `done` had it */
	/* Told after each name: the names so far, in the order of copying, end with `path`. May be
	   NULL; a negative answer ends the copy. */
	int (*done)(void *arg, const char *path, const struct copy_result *so_far);
	void *arg;
};

/*
 * Copies what is in the source into root/target, name by name in the order of their bytes. A
 * directory that the root has, or a link there that leads to one, is gone into and keeps its own
 * attributes; any other name gets what the source has. Returns 0 or -errno with *ret telling what
 * was done by then.
 */
int copy_tree(const struct copy_request *request, struct copy_result *ret);

/* Counts the names in a directory, and the sizes behind them, as a copy of it does. Returns 0 or
 * -errno. */
int copy_tree_count(int fd, struct copy_result *ret);

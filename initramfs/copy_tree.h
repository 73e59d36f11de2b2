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
	char path[256];  /* after an error: where, cut at the front if it must be */
};

/*
 * Copies what is in the directory source_fd into root/target, which is made when it is not there.
 * A directory that the root has, or a link there that leads to one, is gone into and keeps its own
 * attributes; any other name gets what the source has. With no_clobber what is there stays.
 * Returns 0 or -errno with *ret telling what was done by then.
 */
int copy_tree(int source_fd, int root_fd, const char *target, bool no_clobber,
              struct copy_result *ret);

/* SPDX-License-Identifier: MulanPSL-2.0 */
/*
 * The files below a directory.
 */
#pragma once

#include <limits.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

struct collected_file {
	char *path; /* below the directory; owned */
	uint64_t size;
	dev_t device;
	ino_t inode;
};

struct collected {
	struct collected_file *files; /* owned */
	size_t n_files;
	size_t n_left_out; /* past max, unreadable, too deep */
};

/*
 * Lists the regular files below dir_fd, at most max; links are not followed, other file systems
 * are. Returns 0, or -ENOMEM (what was found until then is in *c all the same).
 */
int collect_files(int dir_fd, size_t max, struct collected *c);

void collected_deinit(struct collected *c);

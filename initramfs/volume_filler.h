/* SPDX-License-Identifier: MulanPSL-2.0 */
/*
 * What the ways of filling a volume share: where it is, what is said of it.
 */
#pragma once

#include <sys/stat.h>

#include "initramfs/volume_fill.h"
#include "lib/base/usec.h"

struct filler {
	const char *node, *source; /* what the mark says that it is a copy of */
	int source_fd, volume_fd;
	usec_t begin, told, marked;
	char *error;
	struct {
		int fd;         /* as far as it has come */
		struct stat st; /* which file this is: one that is fetched anew is another */
		char type[32];  /* "" until it is known, and when its files are to be copied */
		uint64_t at;    /* so much of it is on the volume */
		int failed;     /* -errno: no more is written */
	} image;
};

/* Writes what failed, and why, to f->error. Returns -ECANCELED. */
int filler_fail(struct filler *f, const char *what, const char *why);
int filler_fail_errno(struct filler *f, const char *what, int error);

/* Says how far it is, every two seconds; n_files 0: no files are counted. Asks PID 1 for time. */
void filler_tell_progress(struct filler *f, usec_t now, uint64_t n_bytes, uint64_t n_files);

/* Says how much it was and how long it took. */
void filler_tell_end(const struct filler *f, uint64_t n_bytes, uint64_t n_names);

/* Mounts a volume on target, which is made. Returns 0, or -errno with why[MOUNT_ERROR_MAX]. */
int filler_mount(const char *node, const char *type, bool read_only, const char *target, char *why);

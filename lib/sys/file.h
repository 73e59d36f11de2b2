/* SPDX-License-Identifier: MulanPSL-2.0 */
/*
 * Whole files: read, written so that a power cut leaves either the old or the new one, found only
 * below the directory they belong to.
 */
#pragma once

#include <stdint.h>
#include <sys/types.h>

#include "lib/base/buffer.h"

/*
 * Reads a whole file of at most max bytes into *ret (which the caller deinits).
 * Returns 0, or -errno; -EFBIG when it is longer than max.
 */
int file_read_all(int dir_fd, const char *path, size_t max, struct buffer *ret);

/*
 * Replaces dir_fd/name durably: temporary name, write, fsync, rename, fsync of the directory. name
 * is one component. Returns 0 or -errno; on an error the old file stands and no temporary is left.
 */
int file_write_durably(int dir_fd, const char *name, struct slice content, mode_t mode);

/*
 * The same without waiting for the disk, for what can be made anew: processes see the old or the
 * new file, but after a power cut it may also be empty or gone.
 */
int file_write_soon(int dir_fd, const char *name, struct slice content, mode_t mode);

/*
 * Opens a path below dir_fd (openat2 with RESOLVE_BENEATH | RESOLVE_NO_MAGICLINKS): links are
 * followed as long as they stay below. flags as for open(2), O_CLOEXEC is added.
 * Returns an fd, or -errno; -EXDEV when the path leads outside.
 */
int file_open_beneath(int dir_fd, const char *path, uint64_t flags, mode_t mode);

/*
 * Makes each missing directory of a relative path below dir_fd and opens the last one; refuses
 * links. Returns an O_DIRECTORY fd, or -errno.
 */
int file_make_dirs(int dir_fd, const char *path, mode_t mode);

/* mkdir -p for a path of our own configuration; links are followed. Returns 0 or -errno. */
int file_make_path(const char *path, mode_t mode);

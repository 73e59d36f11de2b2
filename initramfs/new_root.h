/* SPDX-License-Identifier: MulanPSL-2.0 */
/*
 * Files of the new root, found as its own programs would find them: links, absolute ones too, lead
 * nowhere but into it: by openat2(2) with RESOLVE_IN_ROOT, and name by name on a kernel before 5.6.
 */
#pragma once

#include <stdint.h>
#include <sys/types.h>

#include "lib/base/buffer.h"

/* Opens a path in the root. O_CLOEXEC is added. Returns an fd or -errno. */
int new_root_open(int root_fd, const char *path, uint64_t flags, mode_t mode);

/*
 * The same name by name, for who has no openat2; nobody may rename in the root meanwhile, which in
 * an initramfs nobody does. A link that is the last name is followed unless flags has O_NOFOLLOW.
 */
int new_root_walk(int root_fd, const char *path, int flags, mode_t mode);

/* Writes where an open file of the root stands, for who mounts on it. Returns 0 or -errno. */
int new_root_path(int fd, char *path, size_t size);

/* Makes each missing directory of a path in the root. Returns an fd of the last, or -errno. */
int new_root_make_dirs(int root_fd, const char *path, mode_t mode);

/*
 * Puts a file at directory/name in place of whatever non-directory is there. Returns 0 or -errno.
 */
int new_root_write(int root_fd, const char *directory, const char *name, struct slice content,
                   mode_t mode);

/* Reads a whole file of at most max bytes. Returns 0 or -errno; -EFBIG when it is longer. */
int new_root_read(int root_fd, const char *path, size_t max, struct buffer *ret);

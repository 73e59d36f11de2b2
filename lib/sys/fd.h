/* SPDX-License-Identifier: MulanPSL-2.0 */
/*
 * File descriptors as owned values: -1 is none.
 */
#pragma once

#include <stddef.h>
#include <sys/types.h>

/* fd_closep: CLEANUP for a local fd; keeps errno. */
void fd_closep(int *fd);

/* Closes *fd if it is one and sets it to -1. Keeps errno. */
void fd_close(int *fd);

/* steal_fd(&fd): returns fd and leaves -1 behind. */
#define steal_fd(fd)                                                                               \
	({                                                                                         \
		int _f = *(fd);                                                                    \
		*(fd) = -1;                                                                        \
		_f;                                                                                \
	})

/* Makes fd non-blocking / blocking. Returns 0 or -errno. */
int fd_set_nonblocking(int fd);
int fd_set_blocking(int fd);

/*
 * write(2) until all is written; EINTR is retried.
 * Returns 0 or -errno (-ENOSPC on a full disk; what was written by then stays).
 */
int fd_write_all(int fd, const void *data, size_t len);

/*
 * pread(2) until len bytes or the end of the file.
 * Returns the number of bytes read, or -errno.
 */
ssize_t fd_pread_all(int fd, void *data, size_t len, off_t offset);

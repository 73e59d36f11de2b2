/* SPDX-License-Identifier: MulanPSL-2.0 */
/*
 * Whole files brought into memory for TFTP. Main opens a file, a worker reads it (main never waits
 * for a disk), and what comes back is a sealed memfd that many transfers share. This is the seam:
 * server/io/tftp_io asks, server/io/worker answers; file_loader_inline answers where there are no
 * workers.
 */
#pragma once

#include <stdint.h>

struct file_loader;

/*
 * Called once for each accepted request. result 0: memfd holds exactly `size` bytes, sealed against
 * every change, and belongs to the callee. Else result is -errno and memfd is -1; -ESTALE: the file
 * was not `size` bytes long any more.
 */
typedef void (*file_loaded_fn)(void *userdata, int result, int memfd);

struct file_loader_ops {
	int (*request)(struct file_loader *loader, int fd, uint64_t size, file_loaded_fn done,
	               void *userdata);
	void (*forget)(struct file_loader *loader, void *userdata);
};

/* The first member of each implementation. */
struct file_loader {
	const struct file_loader_ops *ops;
};

/*
 * Asks for the first `size` bytes of the regular file `fd` (its offset does not matter). Takes fd,
 * also on an error. `done` may be called before this returns.
 * Returns 0, or -errno; `done` is not called then. -EAGAIN: too many requests are waiting.
 */
static inline int file_loader_request(struct file_loader *loader, int fd, uint64_t size,
                                      file_loaded_fn done, void *userdata)
{
	return loader->ops->request(loader, fd, size, done, userdata);
}

/* No `done` is called for this userdata any more. */
static inline void file_loader_forget(struct file_loader *loader, void *userdata)
{
	loader->ops->forget(loader, userdata);
}

/* A loader that reads at once, in the caller's process: for tests and small programs. Static. */
struct file_loader *file_loader_inline(void);

/*
 * The work itself: copies the first `size` bytes of fd into a new sealed memfd.
 * Returns 0, or -errno; -ESTALE when the file is shorter or longer. Waits for the disk.
 */
int file_load(int fd, uint64_t size, int *ret_memfd);

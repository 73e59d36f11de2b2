/* SPDX-License-Identifier: MulanPSL-2.0 */
#include "server/io/file_loader.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/sendfile.h>
#include <unistd.h>

#include "lib/base/macro.h"
#include "lib/sys/fd.h"

/* Linux copies at most 2 GiB in one call; smaller steps let a signal through. */
#define STEP ((size_t)1 << 26)

static int copy(int to, int fd, uint64_t size)
{
	off_t offset = 0;

	while ((uint64_t)offset < size) {
		ssize_t n = sendfile(to, fd, &offset, (size_t)MIN(size - (uint64_t)offset, STEP));

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -errno;
		if (n == 0)
			return -ESTALE;
	}
	return 0;
}

int file_load(int fd, uint64_t size, int *ret_memfd)
{
	CLEANUP(fd_closep) int memfd = memfd_create("cci-file", MFD_CLOEXEC | MFD_ALLOW_SEALING);
	off_t end;
	int r;

	if (memfd < 0)
		return -errno;
	end = lseek(fd, 0, SEEK_END);
	if (end < 0)
		return -errno;
	if ((uint64_t)end != size)
		return -ESTALE;
	r = copy(memfd, fd, size);
	if (r < 0)
		return r;
	if (fcntl(memfd, F_ADD_SEALS, F_SEAL_SEAL | F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE) < 0)
		return -errno;
	*ret_memfd = steal_fd(&memfd);
	return 0;
}

static int inline_request(struct file_loader *loader, int fd, uint64_t size, file_loaded_fn done,
                          void *userdata)
{
	int memfd = -1;
	int r = file_load(fd, size, &memfd);

	fd_close(&fd);
	done(userdata, r, memfd);
	return 0;
}

static void inline_forget(struct file_loader *loader, void *userdata)
{
}

static const struct file_loader_ops inline_ops = { inline_request, inline_forget };

struct file_loader *file_loader_inline(void)
{
	static struct file_loader loader = { &inline_ops };

	return &loader;
}

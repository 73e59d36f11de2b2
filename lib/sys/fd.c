/* SPDX-License-Identifier: MulanPSL-2.0 */
#include "lib/sys/fd.h"

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

void fd_close(int *fd)
{
	int saved = errno;

	if (*fd >= 0)
		(void)close(*fd); /* Linux has freed the number even when close reports an error */
	*fd = -1;
	errno = saved;
}

void fd_closep(int *fd)
{
	fd_close(fd);
}

static int set_flags(int fd, int set, int clear)
{
	int flags = fcntl(fd, F_GETFL);

	if (flags < 0)
		return -errno;
	if (fcntl(fd, F_SETFL, (flags & ~clear) | set) < 0)
		return -errno;
	return 0;
}

int fd_set_nonblocking(int fd)
{
	return set_flags(fd, O_NONBLOCK, 0);
}

int fd_set_blocking(int fd)
{
	return set_flags(fd, 0, O_NONBLOCK);
}

int fd_write_all(int fd, const void *data, size_t len)
{
	const char *p = data;

	while (len > 0) {
		ssize_t n = write(fd, p, len);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -errno;
		p += n;
		len -= (size_t)n;
	}
	return 0;
}

ssize_t fd_pread_all(int fd, void *data, size_t len, off_t offset)
{
	size_t done = 0;

	while (done < len) {
		ssize_t n = pread(fd, (char *)data + done, len - done, offset + (off_t)done);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -errno;
		if (n == 0)
			break;
		done += (size_t)n;
	}
	return (ssize_t)done;
}

/* SPDX-License-Identifier: MulanPSL-2.0 */
#include "initramfs/tcp.h"

#include <errno.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "lib/base/macro.h"
#include "lib/sys/fd.h"

void tcp_free_addresses(struct addrinfo **list)
{
	if (*list)
		freeaddrinfo(*list);
}

static int set_patience(int fd, usec_t patience)
{
	const struct timeval time = {
		.tv_sec = (time_t)(patience / USEC_PER_SEC),
		.tv_usec = (suseconds_t)(patience % USEC_PER_SEC),
	};

	if (setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &time, sizeof(time)) < 0 ||
	    setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &time, sizeof(time)) < 0)
		return -errno;
	return 0;
}

int tcp_connect(const struct addrinfo *address, usec_t patience)
{
	CLEANUP(fd_closep) int fd = -1;
	struct pollfd wait = { .events = POLLOUT };
	socklen_t len = sizeof(int);
	int r, error = 0;

	fd = socket(address->ai_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd < 0)
		return -errno;
	if (connect(fd, address->ai_addr, address->ai_addrlen) < 0) {
		if (errno != EINPROGRESS)
			return -errno;
		wait.fd = fd;
		r = poll(&wait, 1, (int)usec_to_wait_ms(0, patience));
		if (r <= 0)
			return r < 0 ? -errno : -ETIMEDOUT;
		if (getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &len) < 0)
			return -errno;
		if (error != 0)
			return -error;
	}
	r = fd_set_blocking(fd);
	if (r < 0)
		return r;
	r = set_patience(fd, patience);
	return r < 0 ? r : steal_fd(&fd);
}

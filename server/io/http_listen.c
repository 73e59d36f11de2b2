/* SPDX-License-Identifier: MulanPSL-2.0 */
#include "server/io/http_listen.h"

#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <sys/socket.h>
#include <time.h>

#include "lib/base/macro.h"
#include "lib/format/netaddr.h"
#include "lib/sys/fd.h"

#define BACKLOG 4096 /* a rack that starts at once; the kernel's somaxconn may make it less */

#define BIND_TRIES      150 /* 3 seconds */
#define BIND_PAUSE_MSEC 20

static const struct {
	int level, option, value;
} options[] = {
	{ SOL_SOCKET, SO_REUSEADDR, 1 },   { SOL_SOCKET, SO_KEEPALIVE, 1 },
	{ IPPROTO_TCP, TCP_KEEPIDLE, 30 }, { IPPROTO_TCP, TCP_KEEPINTVL, 10 },
	{ IPPROTO_TCP, TCP_KEEPCNT, 4 },   { IPPROTO_TCP, TCP_USER_TIMEOUT, 120 * 1000 },
	{ IPPROTO_TCP, TCP_NODELAY, 1 },
};

/* Workers of a ccid that was killed hold the port until they are dead too: a few milliseconds, or
 * as long as a disk takes to sync. */
static int bind_patiently(int fd, const struct sockaddr *address, socklen_t len)
{
	const struct timespec pause = { .tv_nsec = BIND_PAUSE_MSEC * 1000000L };

	for (int i = 0; bind(fd, address, len) < 0; i++) {
		if (errno != EADDRINUSE || i == BIND_TRIES)
			return -errno;
		(void)nanosleep(&pause, NULL); /* a shorter pause is a pause too */
	}
	return 0;
}

static int listen_at(const struct sockaddr *address, socklen_t len, int *ret_fd)
{
	CLEANUP(fd_closep)
	int fd = socket(address->sa_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	int one = 1, r;

	if (fd < 0)
		return -errno;
	for (size_t i = 0; i < ARRAY_SIZE(options); i++)
		if (setsockopt(fd, options[i].level, options[i].option, &options[i].value,
		               sizeof(int)) < 0)
			return -errno;
	if (address->sa_family == AF_INET6) {
		if (setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &one, sizeof(one)) < 0)
			return -errno;
	} else if (setsockopt(fd, IPPROTO_IP, IP_FREEBIND, &one, sizeof(one)) < 0) {
		return -errno;
	}
	r = bind_patiently(fd, address, len);
	if (r < 0)
		return r;
	if (listen(fd, BACKLOG) < 0)
		return -errno;
	*ret_fd = steal_fd(&fd);
	return 0;
}

int http_listen(uint32_t address, uint16_t port, int *ret_fd)
{
	struct sockaddr_in in = {
		.sin_family = AF_INET,
		.sin_port = htons(port),
		.sin_addr.s_addr = htonl(address),
	};

	return listen_at((const struct sockaddr *)&in, sizeof(in), ret_fd);
}

int http_listen_loopback6(uint16_t port, int *ret_fd)
{
	struct sockaddr_in6 in = {
		.sin6_family = AF_INET6,
		.sin6_port = htons(port),
		.sin6_addr = IN6ADDR_LOOPBACK_INIT,
	};

	return listen_at((const struct sockaddr *)&in, sizeof(in), ret_fd);
}

void http_listeners_close(struct http_listeners *listeners)
{
	for (size_t i = 0; i < listeners->n; i++)
		fd_close(&listeners->at[i].fd);
	listeners->n = 0;
}

/* Adds one socket; takes nothing when r is an error already. */
static int add(struct http_listeners *listeners, int r, int fd, uint16_t port)
{
	if (r < 0)
		return r;
	if (listeners->n == HTTP_LISTENERS_MAX) {
		fd_close(&fd);
		return -ENOBUFS;
	}
	listeners->at[listeners->n].fd = fd;
	listeners->at[listeners->n].port = port;
	listeners->n++;
	return 0;
}

static bool is_repeated(const uint32_t *addresses, size_t i)
{
	for (size_t j = 0; j < i; j++)
		if (addresses[j] == addresses[i])
			return true;
	return false;
}

/* One port at every address. On an error *ret_at is the address. */
static int open_port(struct http_listeners *listeners, const uint32_t *addresses,
                     size_t n_addresses, uint16_t port, const char **ret_at, char *text)
{
	int fd = -1, r;

	for (size_t i = 0; i < n_addresses; i++) {
		if (is_repeated(addresses, i))
			continue;
		r = http_listen(addresses[i], port, &fd);
		r = add(listeners, r, fd, port);
		if (r < 0) {
			*ret_at = ipv4_format(addresses[i], text);
			return r;
		}
	}
	r = http_listen_loopback6(port, &fd);
	if (r == -EAFNOSUPPORT || r == -EADDRNOTAVAIL)
		return 0; /* no IPv6 here */
	r = add(listeners, r, fd, port);
	if (r < 0)
		*ret_at = "[::1]";
	return r;
}

int http_listeners_open(const uint32_t *addresses, size_t n_addresses, const uint16_t *ports,
                        size_t n_ports, struct http_listeners *ret_listeners,
                        char error_place[HTTP_LISTEN_PLACE_MAX])
{
	struct http_listeners listeners = HTTP_LISTENERS_NULL;
	char text[IPV4_TEXT_MAX];
	const char *at = "";

	for (size_t i = 0; i < n_ports; i++) {
		int r = open_port(&listeners, addresses, n_addresses, ports[i], &at, text);

		if (r < 0) {
			(void)snprintf(error_place, HTTP_LISTEN_PLACE_MAX, "%s:%u", at, ports[i]);
			http_listeners_close(&listeners);
			*ret_listeners = listeners;
			return r;
		}
	}
	*ret_listeners = listeners;
	return 0;
}

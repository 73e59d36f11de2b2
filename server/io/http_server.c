/* SPDX-License-Identifier: MulanPSL-2.0 */
/*
 * Listeners and the list of connections; what happens on one connection is in http_socket.c.
 */
#include "server/io/http_server.h"

#include <errno.h>
#include <event2/event.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include "lib/base/log.h"
#include "lib/base/macro.h"
#include "lib/sys/clock.h"
#include "lib/sys/fd.h"
#include "server/io/http_socket.h"
#include "server/io/loop.h"

#define ACCEPTS_A_TURN 8                     /* other workers shall have some, too */
#define FILES_OF_OURS  ((size_t)64)          /* listeners, database, socketpairs */
#define ACCEPT_RETRY   (100 * USEC_PER_MSEC) /* after a lack of fds or memory */

struct listener {
	struct list link;
	int fd;
	struct event *event;
};

static struct listener *listener_free(struct listener *listener)
{
	list_unlink(&listener->link);
	if (listener->event)
		event_free(listener->event);
	fd_close(&listener->fd);
	free(listener);
	return NULL;
}

/* Leaves the queue of connections to the kernel for a moment. */
static void pause_accepting(struct http_server *server, int error)
{
	log_warning("cannot accept an HTTP connection: %s", strerror(error));
	LIST_FOREACH (it, &server->listeners)
		(void)event_del(CONTAINER_OF(it, struct listener, link)->event);
	loop_set_timer(server->retry, usec_add(clock_now(), ACCEPT_RETRY));
}

static void on_retry(evutil_socket_t fd, short what, void *userdata)
{
	struct http_server *server = userdata;

	LIST_FOREACH (it, &server->listeners)
		(void)event_add(CONTAINER_OF(it, struct listener, link)->event, NULL);
}

static uint32_t host_address(const struct sockaddr_storage *address, uint16_t *ret_port)
{
	struct sockaddr_in in;
	struct sockaddr_in6 in6;

	if (address->ss_family == AF_INET) {
		memcpy(&in, address, sizeof(in));
		*ret_port = ntohs(in.sin_port);
		return ntohl(in.sin_addr.s_addr);
	}
	memcpy(&in6, address, sizeof(in6));
	*ret_port = ntohs(in6.sin6_port);
	return INADDR_LOOPBACK; /* of IPv6 we listen on ::1 only */
}

/* Says that there is no room, as far as that can be said without waiting. */
static void turn_away(int fd)
{
	static const char answer[] = "HTTP/1.1 503 Service Unavailable\r\nRetry-After: 5\r\n"
				     "Content-Length: 0\r\nConnection: close\r\n\r\n";

	/* best effort: the peer sees at least that the connection ends */
	(void)!send(fd, answer, sizeof(answer) - 1, MSG_NOSIGNAL | MSG_DONTWAIT);
}

/* Takes fd. */
static void accepted(struct http_server *server, int fd, const struct sockaddr_storage *peer)
{
	struct sockaddr_storage local = { .ss_family = AF_INET };
	socklen_t len = sizeof(local);
	struct http_socket_addresses addresses;
	uint16_t peer_port;

	server->counters.n_accepted++;
	if (server->counters.n_sockets >= server->config.max_sockets) {
		server->counters.n_overloaded++;
		turn_away(fd);
		fd_close(&fd);
		return;
	}
	(void)getsockname(fd, (struct sockaddr *)&local, &len); /* on failure: 0.0.0.0:0 */
	addresses.peer = host_address(peer, &peer_port);
	addresses.local = host_address(&local, &addresses.local_port);
	http_socket_begin(server, fd, &addresses);
}

static void on_accept(evutil_socket_t fd, short what, void *userdata)
{
	struct http_server *server = userdata;

	for (int i = 0; i < ACCEPTS_A_TURN; i++) {
		struct sockaddr_storage peer = { 0 };
		socklen_t len = sizeof(peer);
		int s = accept4(fd, (struct sockaddr *)&peer, &len, SOCK_NONBLOCK | SOCK_CLOEXEC);

		if (s >= 0) {
			accepted(server, s, &peer);
			continue;
		}
		if (errno == EMFILE || errno == ENFILE || errno == ENOBUFS || errno == ENOMEM)
			pause_accepting(server, errno);
		else if (errno == EINTR || errno == ECONNABORTED)
			continue;
		return; /* EAGAIN: another process took it, or the queue is empty */
	}
}

static void on_kick(evutil_socket_t fd, short what, void *userdata)
{
	struct http_server *server = userdata;

	while (!list_is_empty(&server->ready))
		http_socket_run(LIST_FIRST(&server->ready, struct http_socket, ready_link));
}

/* As many as the limit of files allows, when each also has a file open. */
static size_t limit_sockets(size_t wanted)
{
	struct rlimit limit;
	size_t n_files;

	if (getrlimit(RLIMIT_NOFILE, &limit) < 0 || limit.rlim_cur == RLIM_INFINITY)
		return wanted;
	n_files = (size_t)limit.rlim_cur;
	if (n_files < 2 * FILES_OF_OURS)
		return MIN(wanted, n_files / 4);
	n_files = (n_files - FILES_OF_OURS) / 2;
	return MIN(wanted, n_files);
}

int http_server_new(struct event_base *base, const struct http_server_config *config,
                    const struct http_server_ops *ops, void *userdata, struct http_server **ret)
{
	struct http_server *server = calloc(1, sizeof(*server));

	if (!server)
		return -ENOMEM;
	server->base = base;
	server->config = *config;
	server->config.max_sockets = limit_sockets(config->max_sockets);
	server->ops = ops;
	server->userdata = userdata;
	list_init(&server->listeners);
	list_init(&server->sockets);
	list_init(&server->ready);
	list_init(&server->corked);
	server->kick = event_new(base, -1, 0, on_kick, server);
	server->retry = event_new(base, -1, 0, on_retry, server);
	if (!server->kick || !server->retry) {
		http_server_free(server);
		return -ENOMEM;
	}
	*ret = server;
	return 0;
}

struct http_server *http_server_free(struct http_server *server)
{
	if (!server)
		return NULL;
	LIST_FOREACH_SAFE (it, n, &server->sockets)
		http_socket_end(CONTAINER_OF(it, struct http_socket, link));
	LIST_FOREACH_SAFE (it, n, &server->listeners)
		listener_free(CONTAINER_OF(it, struct listener, link));
	if (server->kick)
		event_free(server->kick);
	if (server->retry)
		event_free(server->retry);
	free(server);
	return NULL;
}

int http_server_listen(struct http_server *server, int fd)
{
	struct listener *listener = calloc(1, sizeof(*listener));

	if (!listener) {
		fd_close(&fd);
		return -ENOMEM;
	}
	listener->fd = fd;
	list_append(&server->listeners, &listener->link);
	listener->event = event_new(server->base, fd, EV_READ | EV_PERSIST, on_accept, server);
	if (!listener->event || event_add(listener->event, NULL) < 0) {
		listener_free(listener);
		return -ENOMEM;
	}
	return 0;
}

void http_server_stop(struct http_server *server)
{
	LIST_FOREACH_SAFE (it, n, &server->listeners)
		listener_free(CONTAINER_OF(it, struct listener, link));
	loop_set_timer(server->retry, USEC_INFINITY);
	LIST_FOREACH (it, &server->sockets)
		http_socket_stop(CONTAINER_OF(it, struct http_socket, link));
}

void http_server_cork(struct http_server *server)
{
	server->is_corked = true;
}

void http_server_uncork(struct http_server *server, int error)
{
	server->is_corked = false;
	while (!list_is_empty(&server->corked)) {
		struct http_socket *s = LIST_FIRST(&server->corked, struct http_socket, ready_link);

		list_unlink(&s->ready_link);
		if (error < 0)
			http_socket_lose(s, error);
		else
			http_socket_wake(s);
	}
}

const struct http_server_counters *http_server_get_counters(const struct http_server *server)
{
	return &server->counters;
}

/* SPDX-License-Identifier: MulanPSL-2.0 */
#include "server/io/tftp_listen.h"

#include <arpa/inet.h>
#include <assert.h>
#include <errno.h>
#include <event2/event.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "lib/sys/fd.h"
#include "server/io/netif_port.h"

/* Requests read in one turn of the loop. */
#define READS_MAX 64

/* Requests are short; RFC 2347 section 2 bounds them to 512 bytes. */
#define REQUEST_MAX 1024

/* A rack that is switched on asks at once. */
#define RECEIVE_BUFFER (1 << 20)

struct listener {
	struct tftp_listen *listen;
	struct netif_port port;
};

struct tftp_listen {
	struct event_base *base;
	struct tftp_listen_config config;
	struct event *refresh;
	struct listener listeners[TFTP_LISTEN_INTERFACES_MAX];
	size_t n_listeners;
};

/*
 * Our address the packet came to. RFC 1123 section 4.2.3.5: what was sent to a broadcast or
 * multicast address is not answered. Returns false for such a packet.
 */
static bool read_local(struct msghdr *header, uint32_t *ret_local)
{
	struct cmsghdr *c;
	struct in_pktinfo info;

	for (c = CMSG_FIRSTHDR(header); c; c = CMSG_NXTHDR(header, c)) {
		if (c->cmsg_level != IPPROTO_IP || c->cmsg_type != IP_PKTINFO)
			continue;
		memcpy(&info, CMSG_DATA(c), sizeof(info));
		*ret_local = ntohl(info.ipi_spec_dst.s_addr);
		return info.ipi_addr.s_addr == info.ipi_spec_dst.s_addr;
	}
	return false;
}

/* Receives one packet. Returns false when there is none. */
static bool receive(struct listener *listener)
{
	const struct tftp_listen_config *config = &listener->listen->config;
	uint8_t packet[REQUEST_MAX];
	char control[CMSG_SPACE(sizeof(struct in_pktinfo))] __attribute__((aligned(8)));
	struct sockaddr_in from = { .sin_family = AF_UNSPEC };
	struct iovec part = { packet, sizeof(packet) };
	struct msghdr header = { .msg_name = &from,
		                 .msg_namelen = sizeof(from),
		                 .msg_iov = &part,
		                 .msg_iovlen = 1,
		                 .msg_control = control,
		                 .msg_controllen = sizeof(control) };
	struct tftp_peer peer = { .interface = listener->port.netif.index };
	ssize_t n = recvmsg(listener->port.fd, &header, 0);

	if (n < 0)
		return errno == EINTR;
	peer.address = ntohl(from.sin_addr.s_addr);
	peer.port = ntohs(from.sin_port);
	if (!read_local(&header, &peer.local) || peer.port == 0 || (header.msg_flags & MSG_TRUNC))
		(*config->n_malformed)++;
	else
		config->arrived(config->userdata, &peer, listener->port.netif.name,
		                slice_make(packet, (size_t)n));
	return true;
}

static void on_readable(evutil_socket_t fd, short what, void *userdata)
{
	for (unsigned i = 0; i < READS_MAX && receive(userdata); i++)
		;
}

static int open_socket(const struct netif *netif, void *userdata, int *ret)
{
	const struct listener *listener = userdata;
	CLEANUP(fd_closep) int fd = socket(AF_INET, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	struct sockaddr_in local = { .sin_family = AF_INET,
		                     .sin_port = htons(listener->listen->config.port) };
	int on = 1, buffer = RECEIVE_BUFFER;

	if (fd < 0)
		return -errno;
	if (setsockopt(fd, SOL_SOCKET, SO_BINDTODEVICE, netif->name,
	               (socklen_t)strlen(netif->name)) < 0 ||
	    setsockopt(fd, IPPROTO_IP, IP_PKTINFO, &on, sizeof(on)) < 0 ||
	    bind(fd, (struct sockaddr *)&local, sizeof(local)) < 0)
		return -errno;
	/* The kernel cuts it to what it allows. */
	(void)setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &buffer, sizeof(buffer));
	*ret = steal_fd(&fd);
	return 0;
}

static const struct netif_port_kind kind = {
	.protocol = "TFTP",
	.open = open_socket,
	.readable = on_readable,
};

static void on_refresh(evutil_socket_t fd, short what, void *userdata)
{
	struct tftp_listen *listen = userdata;

	for (size_t i = 0; i < listen->n_listeners; i++)
		netif_port_refresh(&listen->listeners[i].port);
}

static int add_listener(struct tftp_listen *listen, const char *name)
{
	struct listener *listener = &listen->listeners[listen->n_listeners];
	int r;

	listener->listen = listen;
	r = netif_port_open(&listener->port, &kind, listen->base, name, listener);
	if (r == 0)
		listen->n_listeners++;
	return r;
}

int tftp_listen_new(struct event_base *base, const struct tftp_listen_config *config,
                    struct tftp_listen **ret)
{
	CLEANUP(tftp_listen_freep) struct tftp_listen *listen = calloc(1, sizeof(*listen));

	if (!listen)
		return -ENOMEM;
	if (config->n_interfaces > TFTP_LISTEN_INTERFACES_MAX)
		return -EINVAL;
	listen->base = base;
	listen->config = *config;
	for (size_t i = 0; i < config->n_interfaces; i++) {
		int r = add_listener(listen, config->interfaces[i]);

		if (r < 0)
			return r;
	}
	listen->config.interfaces = NULL;
	if (netif_port_arm(base, on_refresh, listen, &listen->refresh) < 0)
		return -ENOMEM;
	*ret = steal_ptr(&listen);
	return 0;
}

struct tftp_listen *tftp_listen_free(struct tftp_listen *listen)
{
	if (!listen)
		return NULL;
	if (listen->refresh)
		event_free(listen->refresh);
	for (size_t i = 0; i < listen->n_listeners; i++)
		netif_port_close(&listen->listeners[i].port);
	free(listen);
	return NULL;
}

static int find_socket(const struct tftp_listen *listen, unsigned interface)
{
	for (size_t i = 0; i < listen->n_listeners; i++)
		if (listen->listeners[i].port.netif.index == interface)
			return listen->listeners[i].port.fd;
	return -1;
}

void tftp_listen_answer(struct tftp_listen *listen, const struct tftp_peer *peer,
                        struct slice packet)
{
	union {
		struct cmsghdr header;
		char space[CMSG_SPACE(sizeof(struct in_pktinfo))];
	} control = { .space = { 0 } };
	struct in_pktinfo info = {
		.ipi_ifindex = (int)peer->interface,
		.ipi_spec_dst.s_addr = htonl(peer->local),
	};
	struct sockaddr_in to = { .sin_family = AF_INET,
		                  .sin_port = htons(peer->port),
		                  .sin_addr.s_addr = htonl(peer->address) };
	struct iovec part = { (void *)(uintptr_t)packet.data, packet.len };
	struct msghdr message = { .msg_name = &to,
		                  .msg_namelen = sizeof(to),
		                  .msg_iov = &part,
		                  .msg_iovlen = 1,
		                  .msg_control = &control,
		                  .msg_controllen = sizeof(control) };

	control.header.cmsg_level = IPPROTO_IP;
	control.header.cmsg_type = IP_PKTINFO;
	control.header.cmsg_len = CMSG_LEN(sizeof(info));
	memcpy(CMSG_DATA(&control.header), &info, sizeof(info));
	(void)sendmsg(find_socket(listen, peer->interface), &message, 0);
}

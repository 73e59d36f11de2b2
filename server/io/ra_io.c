/* SPDX-License-Identifier: MulanPSL-2.0 */
/*
 * A solicitation is answered twice: to its sender, and to all nodes, because some firmware drivers
 * lose multicasts and some clients do not answer the neighbour discovery that a unicast needs.
 */
#include "server/io/ra_io.h"

#include <errno.h>
#include <event2/event.h>
#include <netinet/icmp6.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "lib/base/log.h"
#include "lib/base/usec.h"
#include "lib/sys/clock.h"
#include "lib/sys/fd.h"
#include "server/io/netif.h"
#include "server/proto/router_advert.h"

#define MESSAGE_MAX 1500
#define TURN_MAX    64
#define REFRESH_SEC 2
#define MULTICAST_PAUSE                                                                            \
	(250 * USEC_PER_MSEC) /* a rack that solicits together hears one for all                   \
	                       */

static const struct in6_addr all_nodes = { { { 0xff, 2, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0,
	                                       1 } } };
static const struct in6_addr all_routers = { { { 0xff, 2, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0,
	                                         2 } } };

struct link {
	struct ra_io *io;
	struct netif netif;
	int fd; /* -1: no IPv6 there now */
	struct event *readable;
	bool has_advertised; /* since it was opened */
	bool is_told;        /* that it has no IPv6 */
	usec_t last_multicast;
};

struct ra_io {
	struct event_base *base;
	struct event *refresh;
	struct link links[RA_IO_INTERFACES_MAX];
	size_t n_links;
	struct ra_io_counters counters;
};

static int send_advert(struct link *link, const struct in6_addr *to)
{
	struct sockaddr_in6 address = { .sin6_family = AF_INET6,
		                        .sin6_addr = *to,
		                        .sin6_scope_id = link->netif.index };
	uint8_t wire[ROUTER_ADVERT_MAX];
	struct bytes out = BYTES_ON(wire);

	router_advert_build(link->netif.mac, &out);
	if (sendto(link->fd, wire, out.len, 0, (const struct sockaddr *)&address, sizeof(address)) <
	    0) {
		link->io->counters.n_unsent++;
		return -errno;
	}
	link->io->counters.n_sent++;
	return 0;
}

/* To everybody, unless that was just done. */
static void advertise(struct link *link, usec_t now)
{
	if (link->last_multicast && now - link->last_multicast < MULTICAST_PAUSE)
		return;
	if (send_advert(link, &all_nodes) == 0) {
		link->last_multicast = now;
		link->has_advertised = true;
	}
}

/* --- solicitations --- */

static unsigned read_hop_limit(struct msghdr *message)
{
	int limit = 0;

	for (struct cmsghdr *c = CMSG_FIRSTHDR(message); c; c = CMSG_NXTHDR(message, c))
		if (c->cmsg_level == IPPROTO_IPV6 && c->cmsg_type == IPV6_HOPLIMIT)
			memcpy(&limit, CMSG_DATA(c), sizeof(limit));
	return (unsigned)limit;
}

/* One message. Returns false when there is none. */
static bool serve(struct link *link)
{
	uint8_t data[MESSAGE_MAX];
	union {
		struct cmsghdr header;
		char space[CMSG_SPACE(sizeof(int))];
	} control;
	struct sockaddr_in6 from = { .sin6_family = AF_INET6 };
	struct iovec part = { data, sizeof(data) };
	struct msghdr message = { .msg_name = &from,
		                  .msg_namelen = sizeof(from),
		                  .msg_iov = &part,
		                  .msg_iovlen = 1,
		                  .msg_control = &control,
		                  .msg_controllen = sizeof(control) };
	ssize_t n = recvmsg(link->fd, &message, MSG_DONTWAIT);
	struct router_solicit solicit;
	bool is_unspecified;

	if (n < 0)
		return false;
	is_unspecified = IN6_IS_ADDR_UNSPECIFIED(&from.sin6_addr);
	if (router_solicit_parse(slice_make(data, (size_t)n), read_hop_limit(&message),
	                         is_unspecified, &solicit) != 0) {
		link->io->counters.n_malformed++;
		return true;
	}
	link->io->counters.n_solicits++;
	advertise(link, clock_now());
	if (!is_unspecified)
		(void)send_advert(link, &from.sin6_addr); /* counted; the client asks again */
	return true;
}

static void on_readable(evutil_socket_t fd, short what, void *data)
{
	for (int i = 0; i < TURN_MAX; i++)
		if (!serve(data))
			return;
}

/* --- interfaces --- */

static int set_number(int fd, int option, int value)
{
	return setsockopt(fd, IPPROTO_IPV6, option, &value, sizeof(value)) < 0 ? -errno : 0;
}

static int join(int fd, unsigned ifindex)
{
	struct ipv6_mreq group = { .ipv6mr_multiaddr = all_routers, .ipv6mr_interface = ifindex };
	struct icmp6_filter filter;

	ICMP6_FILTER_SETBLOCKALL(&filter);
	ICMP6_FILTER_SETPASS(ND_ROUTER_SOLICIT, &filter);
	if (setsockopt(fd, IPPROTO_ICMPV6, ICMP6_FILTER, &filter, sizeof(filter)) < 0)
		return -errno;
	if (setsockopt(fd, IPPROTO_IPV6, IPV6_JOIN_GROUP, &group, sizeof(group)) < 0)
		return -errno;
	return 0;
}

static int configure(int fd, const struct netif *netif)
{
	static const struct {
		int option, value;
	} numbers[] = { { IPV6_UNICAST_HOPS, ROUTER_HOP_LIMIT },
		        { IPV6_MULTICAST_HOPS, ROUTER_HOP_LIMIT },
		        { IPV6_MULTICAST_LOOP, 0 },
		        { IPV6_RECVHOPLIMIT, 1 } };

	if (setsockopt(fd, SOL_SOCKET, SO_BINDTODEVICE, netif->name,
	               (socklen_t)strlen(netif->name)) < 0)
		return -errno;
	for (size_t i = 0; i < ARRAY_SIZE(numbers); i++) {
		int r = set_number(fd, numbers[i].option, numbers[i].value);

		if (r < 0)
			return r;
	}
	return join(fd, netif->index);
}

static void close_link(struct link *link)
{
	if (link->readable)
		event_free(link->readable);
	link->readable = NULL;
	link->has_advertised = false;
	fd_close(&link->fd);
}

static int open_link(struct link *link)
{
	CLEANUP(fd_closep) int fd = -1;
	int r;

	fd = socket(AF_INET6, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK, IPPROTO_ICMPV6);
	if (fd < 0)
		return -errno;
	r = configure(fd, &link->netif);
	if (r < 0)
		return r;
	link->readable = event_new(link->io->base, fd, EV_READ | EV_PERSIST, on_readable, link);
	if (!link->readable || event_add(link->readable, NULL) < 0) {
		close_link(link);
		return -ENOMEM;
	}
	link->fd = steal_fd(&fd);
	advertise(link, clock_now()); /* fails while our address is being checked: refresh tries */
	return 0;
}

/* No IPv6 here is a state, not an error; anything else is. */
static bool is_without_ipv6(int r)
{
	return r == -EAFNOSUPPORT || r == -EPROTONOSUPPORT || r == -EADDRNOTAVAIL || r == -ENODEV ||
	       r == -EINVAL;
}

static int try_link(struct link *link)
{
	int r = open_link(link);

	if (r == 0 || !is_without_ipv6(r))
		return r;
	if (!link->is_told)
		log_warning("no IPv6 on %s: iPXE will wait some seconds longer at each boot",
		            link->netif.name);
	link->is_told = true;
	return 0;
}

static void refresh_link(struct link *link)
{
	int r = netif_refresh(&link->netif);

	if (r > 0)
		close_link(link);
	if (r < 0 || r == NETIF_GONE)
		return;
	if (link->fd < 0)
		(void)try_link(link); /* tried again in a moment */
	else if (!link->has_advertised)
		advertise(link, clock_now());
}

static void on_refresh(evutil_socket_t fd, short what, void *data)
{
	struct ra_io *io = data;

	for (size_t i = 0; i < io->n_links; i++)
		refresh_link(&io->links[i]);
}

static int add_link(struct ra_io *io, const char *name)
{
	struct link *link = &io->links[io->n_links];
	int r;

	*link = (struct link){ .io = io, .fd = -1 };
	r = netif_get(name, &link->netif);
	if (r == 0)
		r = try_link(link);
	if (r < 0) {
		log_error("router advertisements: cannot listen on %s: %s", name, strerror(-r));
		return r;
	}
	io->n_links++;
	return 0;
}

int ra_io_new(struct event_base *base, const struct ra_io_config *config, struct ra_io **ret)
{
	const struct timeval period = { .tv_sec = REFRESH_SEC };
	CLEANUP(ra_io_freep) struct ra_io *io = calloc(1, sizeof(*io));

	if (!io)
		return -ENOMEM;
	io->base = base;
	for (size_t i = 0; i < config->n_interfaces && i < RA_IO_INTERFACES_MAX; i++) {
		int r = add_link(io, config->interfaces[i]);

		if (r < 0)
			return r;
	}
	io->refresh = event_new(base, -1, EV_PERSIST, on_refresh, io);
	if (!io->refresh || event_add(io->refresh, &period) < 0)
		return -ENOMEM;
	*ret = steal_ptr(&io);
	return 0;
}

struct ra_io *ra_io_free(struct ra_io *io)
{
	if (!io)
		return NULL;
	if (io->refresh)
		event_free(io->refresh);
	for (size_t i = 0; i < io->n_links; i++)
		close_link(&io->links[i]);
	free(io);
	return NULL;
}

const struct ra_io_counters *ra_io_get_counters(const struct ra_io *io)
{
	return &io->counters;
}

/* SPDX-License-Identifier: MulanPSL-2.0 */
#include "server/io/dhcp_io.h"

#include <assert.h>
#include <errno.h>
#include <event2/event.h>
#include <stdlib.h>
#include <string.h>

#include "lib/base/log.h"
#include "lib/base/text.h"
#include "lib/sys/clock.h"
#include "lib/sys/fd.h"
#include "server/io/netif_port.h"
#include "server/io/packet.h"
#include "server/io/udp.h"
#include "server/proto/ip_frame.h"
#include "server/service/dhcp_service.h"

/* What the kernel keeps while we commit: some 10,000 machines that are switched on together. */
#define RECEIVE_BUFFER (16 << 20)

/* Batches read in one turn of the loop, so that HTTP gets its turn in a storm. */
#define TURN_MAX 8

#define LOG_PAUSE (10 * USEC_PER_SEC)

static_assert(UDP_BATCH_MAX <= DHCP_BATCH_MAX, "one batch of packets is one of the service");

struct listener {
	struct dhcp_io *io;
	struct netif_port port;
	uint32_t n_dropped; /* as the kernel counts for this socket */
};

struct dhcp_io {
	struct event_base *base;
	struct dhcp_service *service;
	struct listener listeners[DHCP_IO_INTERFACES_MAX];
	size_t n_listeners;
	int packet_fd;
	uint16_t frame_id; /* identification of the next datagram made by hand */
	struct event *refresh;
	struct udp_batch *batch;
	struct dhcp_departure *departures; /* DHCP_BATCH_MAX of them */
	usec_t failure_logged;             /* 0: never */
	struct dhcp_io_counters counters;
};

static struct listener *find_listener(struct dhcp_io *io, unsigned ifindex)
{
	for (size_t i = 0; i < io->n_listeners; i++)
		if (io->listeners[i].port.netif.index == ifindex)
			return &io->listeners[i];
	return NULL;
}

/* --- answers --- */

static int send_frame(struct dhcp_io *io, const struct dhcp_departure *d)
{
	const struct ip_frame frame = { .source = d->source,
		                        .destination = d->route.address,
		                        .source_port = 67,
		                        .destination_port = d->route.port,
		                        .id = io->frame_id++ };
	uint8_t wire[DHCP_REPLY_SIZE_MAX + IP_FRAME_HEADERS];
	struct bytes out = BYTES_ON(wire);

	ip_frame_build(&frame, slice_make(d->data, d->len), &out);
	assert(!out.overflow);
	return packet_send(io->packet_fd, d->ifindex, d->route.mac, bytes_slice(&out));
}

static struct udp_letter make_letter(const struct dhcp_departure *d, uint32_t destination)
{
	return (struct udp_letter){ .ifindex = d->ifindex,
		                    .source = d->source,
		                    .destination = destination,
		                    .port = d->route.port,
		                    .data = slice_make(d->data, d->len) };
}

static void send_all(struct dhcp_io *io, int fd, size_t n)
{
	struct udp_letter letters[DHCP_BATCH_MAX];
	size_t n_letters = 0, n_unsent;

	for (size_t i = 0; i < n; i++) {
		const struct dhcp_departure *d = &io->departures[i];

		if (d->route.kind != DHCP_ROUTE_FRAME) {
			letters[n_letters++] = make_letter(d, d->route.address);
		} else if (send_frame(io, d) < 0) {
			io->counters.n_broadcast++;
			letters[n_letters++] = make_letter(d, UINT32_MAX);
		}
	}
	n_unsent = udp_send(fd, letters, n_letters);
	io->counters.n_unsent += n_unsent;
	io->counters.n_sent += n - n_unsent;
}

/* --- questions --- */

/* Packets of a batch as the service wants them; those nobody can answer stay away. */
static size_t make_arrivals(struct listener *listener, const struct udp_packet packets[], size_t n,
                            struct dhcp_arrival arrivals[])
{
	struct dhcp_io *io = listener->io;
	const struct netif *netif = &listener->port.netif;
	uint32_t local =
		dhcp_service_choose_local(io->service, netif->addresses, netif->n_addresses);
	size_t n_arrivals = 0;

	for (size_t i = 0; i < n; i++) {
		if (packets[i].is_cut) {
			io->counters.n_cut++;
			continue;
		}
		if (local == 0) {
			io->counters.n_unaddressed++;
			continue;
		}
		arrivals[n_arrivals++] = (struct dhcp_arrival){ .packet = packets[i].data,
			                                        .ifindex = netif->index,
			                                        .local = local,
			                                        .mtu = netif->mtu };
	}
	return n_arrivals;
}

static void tell_failure(struct dhcp_io *io, usec_t now, int error)
{
	if (io->failure_logged && now - io->failure_logged < LOG_PAUSE)
		return;
	io->failure_logged = now;
	log_error("DHCP: leases cannot be stored, clients get no address: %s", strerror(-error));
}

/* One batch. Returns whether there may be more. */
static bool serve_batch(struct listener *listener)
{
	struct dhcp_io *io = listener->io;
	struct udp_packet packets[UDP_BATCH_MAX];
	struct dhcp_arrival arrivals[UDP_BATCH_MAX];
	uint32_t n_dropped = listener->n_dropped;
	size_t n_arrivals, n_answers;
	usec_t now;
	int n, r;

	n = udp_receive(io->batch, listener->port.fd, packets, &n_dropped);
	if (n <= 0)
		return false; /* an interface that went down says so here: refresh() sees to it */
	io->counters.n_received += (uint64_t)n;
	io->counters.n_dropped += n_dropped - listener->n_dropped;
	listener->n_dropped = n_dropped;
	n_arrivals = make_arrivals(listener, packets, (size_t)n, arrivals);
	now = clock_now();
	r = dhcp_service_handle(io->service, arrivals, n_arrivals, now, clock_wall(),
	                        io->departures, &n_answers);
	if (r < 0)
		tell_failure(io, now, r);
	else
		send_all(io, listener->port.fd, n_answers);
	return n == UDP_BATCH_MAX;
}

static void on_readable(evutil_socket_t fd, short what, void *data)
{
	for (int i = 0; i < TURN_MAX; i++)
		if (!serve_batch(data))
			return;
}

/* --- interfaces --- */

static int open_socket(const struct netif *netif, void *userdata, int *ret)
{
	struct listener *listener = userdata;

	listener->n_dropped = 0;
	return udp_open(netif->name, 67, RECEIVE_BUFFER, ret);
}

static const struct netif_port_kind kind = {
	.protocol = "DHCP",
	.open = open_socket,
	.readable = on_readable,
};

static void on_refresh(evutil_socket_t fd, short what, void *data)
{
	struct dhcp_io *io = data;

	for (size_t i = 0; i < io->n_listeners; i++)
		netif_port_refresh(&io->listeners[i].port);
}

static int add_listener(struct dhcp_io *io, const char *name)
{
	struct listener *listener = &io->listeners[io->n_listeners];
	int r;

	listener->io = io;
	if (find_listener(io, if_nametoindex(name)))
		return 0; /* named twice */
	r = netif_port_open(&listener->port, &kind, io->base, name, listener);
	if (r < 0)
		return r;
	if (listener->port.netif.n_addresses == 0)
		log_warning("DHCP: no IPv4 address on %s yet: nobody is answered there", name);
	io->n_listeners++;
	return 0;
}

static int add_all(struct dhcp_io *io, const struct dhcp_io_config *config)
{
	for (size_t i = 0; i < config->n_interfaces; i++) {
		int r = add_listener(io, config->interfaces[i]);

		if (r == -ENODEV)
			log_error("DHCP: there is no interface %s", config->interfaces[i]);
		else if (r == -EADDRINUSE)
			log_error("DHCP: port 67 of %s is taken: another DHCP server runs here",
			          config->interfaces[i]);
		else if (r < 0)
			log_error("DHCP: cannot listen on %s: %s", config->interfaces[i],
			          strerror(-r));
		if (r < 0)
			return r;
	}
	return 0;
}

int dhcp_io_new(struct event_base *base, struct dhcp_service *service,
                const struct dhcp_io_config *config, struct dhcp_io **ret)
{
	CLEANUP(dhcp_io_freep) struct dhcp_io *io = calloc(1, sizeof(*io));
	int r;

	assert(config->n_interfaces > 0 && config->n_interfaces <= DHCP_IO_INTERFACES_MAX);
	if (!io)
		return -ENOMEM;
	io->base = base;
	io->service = service;
	io->packet_fd = -1;
	io->batch = udp_batch_new();
	io->departures = calloc(DHCP_BATCH_MAX, sizeof(*io->departures));
	if (!io->batch || !io->departures)
		return -ENOMEM;
	r = packet_open(&io->packet_fd);
	if (r < 0) {
		log_error("DHCP: cannot open a packet socket: %s", strerror(-r));
		return r;
	}
	r = add_all(io, config);
	if (r < 0)
		return r;
	r = netif_port_arm(base, on_refresh, io, &io->refresh);
	if (r < 0)
		return r;
	*ret = steal_ptr(&io);
	return 0;
}

struct dhcp_io *dhcp_io_free(struct dhcp_io *io)
{
	if (!io)
		return NULL;
	if (io->refresh)
		event_free(io->refresh);
	for (size_t i = 0; i < io->n_listeners; i++)
		netif_port_close(&io->listeners[i].port);
	fd_close(&io->packet_fd);
	udp_batch_free(io->batch);
	free(io->departures);
	free(io);
	return NULL;
}

const struct dhcp_io_counters *dhcp_io_get_counters(const struct dhcp_io *io)
{
	return &io->counters;
}

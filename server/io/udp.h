/* SPDX-License-Identifier: MulanPSL-2.0 */
/*
 * UDP in batches: one system call for many datagrams, each with the interface and the address of
 * ours it is for.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/base/bytes.h"
#include "lib/base/macro.h"

#define UDP_BATCH_MAX  32
#define UDP_PACKET_MAX 2048 /* more than an Ethernet frame carries; a longer one is cut */

struct udp_batch;

/* A datagram that came in; its data lives until the next udp_receive of that batch. */
struct udp_packet {
	struct slice data;
	uint32_t peer;
	uint16_t peer_port;
	unsigned ifindex;
	bool is_cut; /* was longer than UDP_PACKET_MAX */
};

/* One to be sent. */
struct udp_letter {
	unsigned ifindex;
	uint32_t source; /* one of our addresses; 0: the kernel chooses */
	uint32_t destination;
	uint16_t port;
	struct slice data; /* borrowed for the call */
};

/*
 * Opens a socket on a port of one interface: it hears broadcasts there and nothing of other
 * interfaces. receive_buffer is what the kernel may keep for us while we are busy, in bytes;
 * without CAP_NET_ADMIN it may get less. Returns 0 with a non-blocking *ret_fd, or -errno: -ENODEV,
 * -EADDRINUSE, -EACCES.
 */
int udp_open(const char *interface, uint16_t port, int receive_buffer, int *ret_fd);

/* Buffers for one batch; NULL when memory is short. Free with udp_batch_free. */
struct udp_batch *udp_batch_new(void);
struct udp_batch *udp_batch_free(struct udp_batch *batch);

DEFINE_FREEP(struct udp_batch, udp_batch_free);

/*
 * Reads what is there into packets[UDP_BATCH_MAX]. Returns how many (0: nothing), or -errno.
 * *n_dropped is set to the kernel's count of what it had to drop on this socket since it was
 * opened, when it tells.
 */
int udp_receive(struct udp_batch *batch, int fd, struct udp_packet packets[], uint32_t *n_dropped);

/* Sends n ≤ UDP_BATCH_MAX datagrams; one that cannot be sent does not stop the others. Returns how
 * many could not be sent. */
size_t udp_send(int fd, const struct udp_letter letters[], size_t n);

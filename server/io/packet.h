/* SPDX-License-Identifier: MulanPSL-2.0 */
/*
 * IPv4 datagrams sent straight to a card, without ARP and without routes (packet(7)).
 */
#pragma once

#include "lib/base/bytes.h"
#include "lib/format/netaddr.h"

/* Opens a packet socket that only sends. Returns 0 with *ret_fd, or -errno (-EPERM: CAP_NET_RAW is
 * missing). */
int packet_open(int *ret_fd);

/* Sends a whole IPv4 datagram (proto/ip_frame) out of an interface to a card. Returns 0 or -errno.
 */
int packet_send(int fd, unsigned ifindex, struct mac to, struct slice datagram);

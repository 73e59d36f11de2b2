/* SPDX-License-Identifier: MulanPSL-2.0 */
/*
 * Where an answer goes (RFC 2131 section 4.1).
 */
#pragma once

#include <stdint.h>

#include "server/proto/dhcp_query.h"

enum dhcp_route_kind {
	DHCP_ROUTE_UDP,       /* an ordinary datagram: the receiver answers ARP */
	DHCP_ROUTE_BROADCAST, /* 255.255.255.255, out of the arrival interface */
	DHCP_ROUTE_FRAME, /* a frame to the card, without ARP: it does not know its address yet */
};

struct dhcp_route {
	enum dhcp_route_kind kind;
	uint32_t address; /* destination of the IP header */
	uint16_t port;
	struct mac mac; /* DHCP_ROUTE_FRAME: of the receiver */
};

/* Where an answer of that type, giving `yiaddr` (0 for none), goes. */
struct dhcp_route dhcp_route_choose(const struct dhcp_query *query, enum dhcp_type type,
                                    uint32_t yiaddr);

/* SPDX-License-Identifier: MulanPSL-2.0 */
#include "server/core/dhcp_route.h"

struct dhcp_route dhcp_route_choose(const struct dhcp_query *query, enum dhcp_type type,
                                    uint32_t yiaddr)
{
	const struct dhcp_message *m = &query->message;
	const struct dhcp_route broadcast = { .kind = DHCP_ROUTE_BROADCAST,
		                              .address = UINT32_MAX,
		                              .port = DHCP_CLIENT_PORT };

	if (m->giaddr)
		return (struct dhcp_route){ .kind = DHCP_ROUTE_UDP,
			                    .address = m->giaddr,
			                    .port = DHCP_SERVER_PORT };
	if (type == DHCP_NAK)
		return broadcast;
	if (m->ciaddr)
		return (struct dhcp_route){ .kind = DHCP_ROUTE_UDP,
			                    .address = m->ciaddr,
			                    .port = DHCP_CLIENT_PORT };
	if ((m->flags & DHCP_FLAG_BROADCAST) || yiaddr == 0)
		return broadcast;
	return (struct dhcp_route){ .kind = DHCP_ROUTE_FRAME,
		                    .address = yiaddr,
		                    .port = DHCP_CLIENT_PORT,
		                    .mac = query->mac };
}

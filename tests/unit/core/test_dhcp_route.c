/* SPDX-License-Identifier: MulanPSL-2.0 */
#include "tests/support/test.h"

#include "server/core/dhcp_route.h"
#include "tests/support/dhcp_client.h"

static void answers_go_where_rfc_2131_sends_them(void **state)
{
	static const struct {
		uint32_t giaddr, ciaddr, yiaddr;
		uint16_t flags;
		enum dhcp_type type;
		enum dhcp_route_kind kind;
		uint32_t address;
		uint16_t port;
	} rows[] = {
		{ 9, 0, 5, 0, DHCP_OFFER, DHCP_ROUTE_UDP, 9, 67 },
		{ 9, 0, 5, DHCP_FLAG_BROADCAST, DHCP_OFFER, DHCP_ROUTE_UDP, 9, 67 },
		{ 9, 7, 7, 0, DHCP_ACK, DHCP_ROUTE_UDP, 9, 67 },
		{ 9, 0, 0, 0, DHCP_NAK, DHCP_ROUTE_UDP, 9, 67 },
		{ 0, 7, 7, 0, DHCP_ACK, DHCP_ROUTE_UDP, 7, 68 },
		{ 0, 7, 0, 0, DHCP_ACK, DHCP_ROUTE_UDP, 7, 68 },
		{ 0, 7, 7, DHCP_FLAG_BROADCAST, DHCP_ACK, DHCP_ROUTE_UDP, 7, 68 },
		{ 0, 0, 5, DHCP_FLAG_BROADCAST, DHCP_OFFER, DHCP_ROUTE_BROADCAST, UINT32_MAX, 68 },
		{ 0, 0, 5, 0, DHCP_OFFER, DHCP_ROUTE_FRAME, 5, 68 },
		{ 0, 0, 5, 0x7fff, DHCP_ACK, DHCP_ROUTE_FRAME, 5, 68 },
		{ 0, 0, 0, 0, DHCP_ACK, DHCP_ROUTE_BROADCAST, UINT32_MAX, 68 },
		{ 0, 7, 0, 0, DHCP_NAK, DHCP_ROUTE_BROADCAST, UINT32_MAX, 68 },
		{ 0, 0, 0, 0, DHCP_NAK, DHCP_ROUTE_BROADCAST, UINT32_MAX, 68 },
	};

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct client_packet c;
		struct dhcp_query q;
		struct dhcp_route route;

		client_init(&c, DHCP_REQUEST);
		c.header.giaddr = rows[i].giaddr;
		c.header.ciaddr = rows[i].ciaddr;
		c.header.flags = rows[i].flags;
		assert_int_equal(dhcp_query_parse(client_wire(&c), &q), 0);
		route = dhcp_route_choose(&q, rows[i].type, rows[i].yiaddr);
		assert_int_equal(route.kind, rows[i].kind);
		assert_int_equal(route.address, rows[i].address);
		assert_int_equal(route.port, rows[i].port);
		assert_int_equal(mac_equal(route.mac, q.mac), route.kind == DHCP_ROUTE_FRAME);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(answers_go_where_rfc_2131_sends_them),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

/* SPDX-License-Identifier: MulanPSL-2.0 */
/*
 * A conversation with the whole server over a database in memory: packets one after another, each
 * behind a length (2 bytes) and seconds that pass before it (1 byte). Whatever they say, no address
 * is acknowledged to two clients at a time, and each answer parses.
 */
#include <assert.h>
#include <stdint.h>

#include "lib/base/macro.h"
#include "server/service/dhcp_service.h"
#include "server/store/db.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define NET         0xac1f0000
#define FIRST       (NET + 100)
#define N_RANGE     8
#define LEASE_SEC   60
#define WALL        (1700000000 * USEC_PER_SEC)
#define PACKETS_MAX 64

struct holder {
	uint8_t chaddr[6];
	usec_t until;
};

static const struct dhcp_reservation reservation = { .mac = { { 0x52, 0x54, 0, 0x12, 0x34, 0x50 } },
	                                             .address = FIRST };

static const struct dhcp_config config = {
	.subnets = { { .net = { NET, 24 },
	               .first = FIRST,
	               .last = FIRST + N_RANGE - 1,
	               .router = NET + 1,
	               .lease_sec = LEASE_SEC } },
	.n_subnets = 1,
	.reservations = &reservation,
	.n_reservations = 1,
};

static uint8_t type_of(const struct dhcp_message *m)
{
	uint8_t room[8];
	struct bytes scratch = BYTES_ON(room);
	struct slice type;

	return dhcp_message_option(m, DHCP_OPTION_TYPE, &scratch, &type) == 0 ? type.data[0] : 0;
}

/* RELEASE and DECLINE of its owner free an address. */
static void forget(struct holder holders[N_RANGE], struct slice packet)
{
	static struct dhcp_query q;
	uint32_t address;

	if (dhcp_query_parse(packet, &q) != 0 || (q.type != DHCP_RELEASE && q.type != DHCP_DECLINE))
		return;
	address = q.type == DHCP_RELEASE ? q.message.ciaddr : q.requested;
	if (address - FIRST < N_RANGE &&
	    memcmp(holders[address - FIRST].chaddr, q.mac.octet, 6) == 0)
		holders[address - FIRST].until = 0;
}

static void check(struct holder holders[N_RANGE], const struct dhcp_departure *d, usec_t now)
{
	struct dhcp_message m;
	struct holder *holder;
	bool is_same;

	assert(d->len >= DHCP_REPLY_MIN && d->len <= sizeof(d->data));
	assert(dhcp_message_parse(slice_make(d->data, d->len), &m) == 0);
	if (m.yiaddr == 0)
		return;
	assert(m.yiaddr - FIRST < N_RANGE);
	holder = &holders[m.yiaddr - FIRST];
	is_same = memcmp(holder->chaddr, m.chaddr, 6) == 0;
	assert(is_same || holder->until <= now);
	if (type_of(&m) != DHCP_ACK)
		return;
	/* one client, one lease: what it had before is free */
	for (size_t i = 0; i < N_RANGE; i++)
		if (memcmp(holders[i].chaddr, m.chaddr, 6) == 0)
			holders[i].until = 0;
	memcpy(holder->chaddr, m.chaddr, 6);
	holder->until = now + LEASE_SEC * USEC_PER_SEC;
}

static void converse(struct dhcp_service *service, struct slice input)
{
	struct holder holders[N_RANGE] = { 0 };
	static struct dhcp_departure departure;
	usec_t now = USEC_PER_SEC;

	for (int i = 0; i < PACKETS_MAX && input.len >= 3; i++) {
		struct slice head = slice_take(&input, 3);
		size_t len = MIN((size_t)get_be16(head.data), input.len), n = 0;
		const struct dhcp_arrival arrival = { .packet = slice_take(&input, len),
			                              .ifindex = 1,
			                              .local = NET + 1,
			                              .mtu = 1500 };

		now += head.data[2] * USEC_PER_SEC;
		assert(dhcp_service_handle(service, &arrival, 1, now, WALL + now, &departure, &n) ==
		       0);
		forget(holders, arrival.packet);
		if (n > 0)
			check(holders, &departure, now);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct dhcp_service *service = NULL;
	struct db *db = NULL;

	assert(db_open(":memory:", &db) == 0);
	assert(dhcp_service_new(&config, db, 1, 0, WALL, &service) == 0);
	converse(service, slice_make(data, size));
	dhcp_service_free(service);
	db_close(db);
	return 0;
}

/* SPDX-License-Identifier: MulanPSL-2.0 */
#include "tests/support/test.h"

#include <sqlite3.h>
#include <stdlib.h>
#include <unistd.h>

#include "server/service/dhcp_service.h"
#include "server/store/event_store.h"
#include "server/store/lease_store.h"
#include "tests/support/dhcp_client.h"

#define NET   0x0a000000
#define LOCAL (NET + 1)
#define SEC   USEC_PER_SEC
#define WALL  (1700000000 * SEC)

static const struct dhcp_reservation reservations[] = {
	{ .mac = { { 0x52, 0x54, 0, 0x12, 0x34, 0x99 } }, .address = NET + 200 },
};

static const struct dhcp_config config = {
	.subnets = { { .net = { NET, 24 },
	               .first = NET + 10,
	               .last = NET + 60,
	               .lease_sec = 600 } },
	.n_subnets = 1,
	.reservations = reservations,
	.n_reservations = ARRAY_SIZE(reservations),
};

/* A server, its clocks, and what it answered last. */
struct server {
	char path[64];
	struct db *db;
	struct dhcp_service *dhcp;
	usec_t now, wall;
	struct dhcp_departure out[DHCP_BATCH_MAX];
	size_t n;
};

static void boot(struct server *s)
{
	assert_int_equal(db_open(s->path, &s->db), 0);
	assert_int_equal(dhcp_service_new(&config, s->db, 42, s->now, s->wall, &s->dhcp), 0);
}

static int set_up(void **state)
{
	struct server *s = calloc(1, sizeof(*s));
	int fd;

	assert_non_null(s);
	(void)strcpy(s->path, "/tmp/cci-dhcp-XXXXXX");
	fd = mkstemp(s->path);
	assert_true(fd >= 0);
	assert_int_equal(close(fd), 0);
	s->now = 50 * SEC;
	s->wall = WALL;
	boot(s);
	*state = s;
	return 0;
}

static void crash(struct server *s)
{
	s->dhcp = dhcp_service_free(s->dhcp);
	db_close(s->db);
}

static int tear_down(void **state)
{
	struct server *s = *state;

	crash(s);
	assert_int_equal(unlink(s->path), 0);
	free(s);
	return 0;
}

static void pass(struct server *s, usec_t time)
{
	s->now += time;
	s->wall += time;
}

static int try_one(struct server *s, struct client_packet *c)
{
	const struct dhcp_arrival arrival = {
		.packet = client_wire(c), .ifindex = 3, .local = LOCAL, .mtu = 1500
	};

	s->n = 0;
	return dhcp_service_handle(s->dhcp, &arrival, 1, s->now, s->wall, s->out, &s->n);
}

/* Asks; returns the type of the answer (0: none) and its yiaddr. */
static int ask(struct server *s, struct client_packet *c, uint32_t *ret_address)
{
	uint8_t room[64];
	struct bytes scratch = BYTES_ON(room);
	struct dhcp_message m;
	struct slice type;

	assert_int_equal(try_one(s, c), 0);
	if (s->n == 0)
		return 0;
	assert_int_equal(dhcp_message_parse(slice_make(s->out[0].data, s->out[0].len), &m), 0);
	assert_int_equal(dhcp_message_option(&m, DHCP_OPTION_TYPE, &scratch, &type), 0);
	if (ret_address)
		*ret_address = m.yiaddr;
	return type.data[0];
}

enum who { OS, PXE, IPXE };

static void client(struct client_packet *c, enum dhcp_type type, enum who who, uint8_t number)
{
	client_init(c, type);
	c->header.chaddr[5] = number;
	c->header.xid = 0x1000u * who + number;
	if (who == PXE)
		client_add_pxe(c, 7);
	if (who == IPXE)
		client_add_ipxe(c, 7);
}

/* DISCOVER, OFFER, REQUEST, ACK. Returns the address. */
static uint32_t get_lease(struct server *s, enum who who, uint8_t number)
{
	struct client_packet c;
	uint32_t offered = 0, given = 0;

	client(&c, DHCP_DISCOVER, who, number);
	assert_int_equal(ask(s, &c, &offered), DHCP_OFFER);
	client(&c, DHCP_REQUEST, who, number);
	client_add_u32(&c, DHCP_OPTION_REQUESTED, offered);
	client_add_u32(&c, DHCP_OPTION_SERVER_ID, LOCAL);
	assert_int_equal(ask(s, &c, &given), DHCP_ACK);
	assert_int_equal(given, offered);
	return given;
}

static struct lease lease_of(struct server *s, uint8_t number)
{
	struct mac mac = { { 0x52, 0x54, 0, 0x12, 0x34, number } };
	struct lease lease;

	assert_int_equal(lease_store_find_by_mac(s->db, mac, &lease), 0);
	return lease;
}

/* Names of all events, as text. */
static const char *events(struct server *s)
{
	static char text[512];
	struct event list[16];
	int n = event_store_list(s->db, 0, 0, list, 16);
	size_t len = 0;

	text[0] = '\0';
	for (int i = 0; i < n; i++)
		len += (size_t)snprintf(text + len, sizeof(text) - len, "%s%s", i ? " " : "",
		                        event_kind_to_name((int)list[i].kind));
	return text;
}

static void one_machine_keeps_one_address_through_its_boot(void **state)
{
	struct server *s = *state;
	uint32_t address = get_lease(s, PXE, 1);
	int64_t session = lease_of(s, 1).session;
	struct event list[4];

	assert_true(session > 0);
	assert_int_equal(get_lease(s, IPXE, 1), address);
	assert_true(lease_of(s, 1).session > 0 && lease_of(s, 1).session != session);
	assert_int_equal(get_lease(s, OS, 1), address);
	assert_int_equal(lease_of(s, 1).arch, 7);
	assert_string_equal(events(s), "dhcp.discover dhcp.offer dhcp.ack ipxe.dhcp");
	assert_int_equal(event_store_list(s->db, 0, 0, list, 4), 4);
	assert_true(mac_equal(list[3].mac, lease_of(s, 1).mac));
	assert_non_null(strstr(list[1].fields, "\"file\":\"ipxe/bin-x86_64-efi/snponly.efi\""));
	assert_non_null(strstr(list[3].fields, "\"file\":\"boot.ipxe\""));
	assert_non_null(strstr(list[3].fields, "\"arch\":7"));
}

static void the_host_of_a_known_card_is_named(void **state)
{
	static const char host[] = "INSERT INTO hosts (name, state) VALUES ('vm-9', 'idle')";
	static const char mac[] =
		"INSERT INTO host_macs (mac, host) VALUES (x'525400123409', 'vm-9')";
	struct server *s = *state;
	struct sqlite3_stmt *stmt;
	struct event list[1];

	assert_int_equal(db_prepare(s->db, host, &stmt), 0);
	assert_int_equal(db_run(s->db, stmt), 1);
	assert_int_equal(db_prepare(s->db, mac, &stmt), 0);
	assert_int_equal(db_run(s->db, stmt), 1);
	(void)get_lease(s, IPXE, 9);
	assert_int_equal(event_store_list(s->db, 0, 0, list, 1), 1);
	assert_string_equal(list[0].host, "vm-9");
}

static void questions_repeated_are_answered_and_not_recorded(void **state)
{
	struct server *s = *state;
	struct client_packet c;
	uint32_t first, again;
	int64_t session;

	client(&c, DHCP_DISCOVER, PXE, 1);
	assert_int_equal(ask(s, &c, &first), DHCP_OFFER);
	assert_int_equal(ask(s, &c, &again), DHCP_OFFER);
	assert_int_equal(first, again);
	assert_string_equal(events(s), "dhcp.discover dhcp.offer");
	(void)get_lease(s, IPXE, 2);
	session = lease_of(s, 2).session;
	client(&c, DHCP_REQUEST, IPXE, 2);
	client_add_u32(&c, DHCP_OPTION_REQUESTED, lease_of(s, 2).address);
	client_add_u32(&c, DHCP_OPTION_SERVER_ID, LOCAL);
	assert_int_equal(ask(s, &c, NULL), DHCP_ACK);
	assert_int_equal(lease_of(s, 2).session, session);
	assert_string_equal(events(s), "dhcp.discover dhcp.offer ipxe.dhcp");
	c.header.xid++;
	assert_int_equal(ask(s, &c, NULL), DHCP_ACK);
	assert_true(lease_of(s, 2).session != session);
	assert_string_equal(events(s), "dhcp.discover dhcp.offer ipxe.dhcp ipxe.dhcp");
}

static void a_batch_is_answered_together(void **state)
{
	struct server *s = *state;
	static struct client_packet c[DHCP_BATCH_MAX];
	struct dhcp_arrival in[DHCP_BATCH_MAX];
	uint32_t seen[DHCP_BATCH_MAX];

	for (size_t i = 0; i < DHCP_BATCH_MAX; i++) {
		client(&c[i], DHCP_DISCOVER, OS, (uint8_t)i);
		c[i].header.flags = i % 2 ? DHCP_FLAG_BROADCAST : 0;
		in[i] = (struct dhcp_arrival){ .packet = client_wire(&c[i]),
			                       .ifindex = (unsigned)i,
			                       .local = LOCAL,
			                       .mtu = 1500 };
	}
	in[5].packet.len = 100; /* one is cut */
	assert_int_equal(
		dhcp_service_handle(s->dhcp, in, DHCP_BATCH_MAX, s->now, s->wall, s->out, &s->n),
		0);
	assert_int_equal(s->n, DHCP_BATCH_MAX - 1);
	for (size_t i = 0; i < s->n; i++) {
		struct dhcp_message m;

		assert_int_equal(s->out[i].ifindex, i < 5 ? i : i + 1);
		assert_int_equal(s->out[i].source, LOCAL);
		assert_int_equal(s->out[i].route.kind,
		                 s->out[i].ifindex % 2 ? DHCP_ROUTE_BROADCAST : DHCP_ROUTE_FRAME);
		assert_int_equal(dhcp_message_parse(slice_make(s->out[i].data, s->out[i].len), &m),
		                 0);
		seen[i] = m.yiaddr;
		for (size_t j = 0; j < i; j++)
			assert_int_not_equal(seen[i], seen[j]);
	}
	assert_int_equal(dhcp_service_get_counters(s->dhcp)->malformed[DHCP_QUERY_SHORT], 1);
	assert_int_equal(dhcp_service_get_counters(s->dhcp)->malformed[0], DHCP_BATCH_MAX - 1);
	assert_int_equal(dhcp_service_get_counters(s->dhcp)->sent[DHCP_OFFER], DHCP_BATCH_MAX - 1);
}

static void leases_outlive_the_process(void **state)
{
	struct server *s = *state;
	uint32_t mine = get_lease(s, IPXE, 1);
	int64_t session = lease_of(s, 1).session;
	struct client_packet c;

	crash(s);
	pass(s, 10 * SEC);
	boot(s);
	for (uint8_t i = 2; i <= 51; i++)
		assert_int_not_equal(get_lease(s, OS, i), mine);
	client(&c, DHCP_DISCOVER, OS, 60);
	assert_int_equal(ask(s, &c, NULL), 0); /* 51 addresses, 51 leases */
	assert_int_equal(dhcp_service_get_counters(s->dhcp)->reasons[DHCP_REASON_POOL_FULL], 1);
	assert_int_equal(get_lease(s, IPXE, 1), mine);
	assert_int_equal(lease_of(s, 1).session, session); /* the same round */
}

static void an_offer_forgotten_in_a_restart_is_honoured(void **state)
{
	struct server *s = *state;
	struct client_packet c;
	uint32_t offered, given;

	client(&c, DHCP_DISCOVER, PXE, 1);
	assert_int_equal(ask(s, &c, &offered), DHCP_OFFER);
	crash(s);
	boot(s);
	client(&c, DHCP_REQUEST, PXE, 1);
	client_add_u32(&c, DHCP_OPTION_REQUESTED, offered);
	client_add_u32(&c, DHCP_OPTION_SERVER_ID, LOCAL);
	assert_int_equal(ask(s, &c, &given), DHCP_ACK);
	assert_int_equal(given, offered);
}

static void what_the_store_refuses_is_not_acknowledged(void **state)
{
	struct server *s = *state;
	struct client_packet c;
	uint32_t offered, other;
	sqlite3 *raw;

	client(&c, DHCP_DISCOVER, OS, 1);
	assert_int_equal(ask(s, &c, &offered), DHCP_OFFER);
	assert_int_equal(sqlite3_open(s->path, &raw), SQLITE_OK);
	assert_int_equal(sqlite3_exec(raw,
	                              "CREATE TRIGGER no BEFORE INSERT ON leases"
	                              " BEGIN SELECT RAISE(ABORT, 'no'); END",
	                              NULL, NULL, NULL),
	                 SQLITE_OK);
	client(&c, DHCP_REQUEST, OS, 1);
	client_add_u32(&c, DHCP_OPTION_REQUESTED, offered);
	client_add_u32(&c, DHCP_OPTION_SERVER_ID, LOCAL);
	assert_true(try_one(s, &c) < 0);
	assert_int_equal(s->n, 0);
	assert_int_equal(dhcp_service_get_counters(s->dhcp)->n_failed, 1);
	/* and the address is not lost */
	assert_int_equal(sqlite3_exec(raw, "DROP TRIGGER no", NULL, NULL, NULL), SQLITE_OK);
	assert_int_equal(sqlite3_close(raw), SQLITE_OK);
	client(&c, DHCP_REQUEST, OS, 2);
	client_add_u32(&c, DHCP_OPTION_REQUESTED, offered);
	client_add_u32(&c, DHCP_OPTION_SERVER_ID, LOCAL);
	assert_int_equal(ask(s, &c, &other), DHCP_ACK);
	assert_int_equal(other, offered);
}

static void a_released_address_is_free_and_remembered(void **state)
{
	struct server *s = *state;
	uint32_t address = get_lease(s, OS, 1);
	struct client_packet c;
	uint32_t again;

	client(&c, DHCP_RELEASE, OS, 2); /* not its own */
	c.header.ciaddr = address;
	assert_int_equal(ask(s, &c, NULL), 0);
	assert_int_equal(lease_of(s, 1).expires_wall, s->wall + 600 * SEC);
	client(&c, DHCP_RELEASE, OS, 1);
	c.header.ciaddr = address;
	assert_int_equal(ask(s, &c, NULL), 0);
	assert_int_equal(lease_of(s, 1).expires_wall, s->wall);
	client(&c, DHCP_DISCOVER, OS, 1);
	assert_int_equal(ask(s, &c, &again), DHCP_OFFER);
	assert_int_equal(again, address);
	/* nobody else holds it: another may ask for it after the offer has run out */
	pass(s, DHCP_OFFER_HOLD);
	client(&c, DHCP_REQUEST, OS, 2);
	client_add_u32(&c, DHCP_OPTION_REQUESTED, address);
	client_add_u32(&c, DHCP_OPTION_SERVER_ID, LOCAL);
	assert_int_equal(ask(s, &c, NULL), DHCP_ACK);
	client(&c, DHCP_DISCOVER, OS, 1);
	assert_int_equal(ask(s, &c, &again), DHCP_OFFER);
	assert_int_not_equal(again, address);
}

static void a_declined_address_is_parked(void **state)
{
	struct server *s = *state;
	uint32_t address = get_lease(s, OS, 1), next;
	struct client_packet c;
	struct lease lease;

	client(&c, DHCP_DECLINE, OS, 1);
	client_add_u32(&c, DHCP_OPTION_REQUESTED, address);
	client_add_u32(&c, DHCP_OPTION_SERVER_ID, LOCAL);
	assert_int_equal(ask(s, &c, NULL), 0);
	assert_int_equal(lease_store_find_by_address(s->db, address, &lease), LEASE_ABSENT);
	client(&c, DHCP_DISCOVER, OS, 1);
	client_add_u32(&c, DHCP_OPTION_REQUESTED, address);
	assert_int_equal(ask(s, &c, &next), DHCP_OFFER);
	assert_int_not_equal(next, address);
	pass(s, DHCP_PARK_TIME);
	assert_int_equal(ask(s, &c, &next), DHCP_OFFER);
	assert_int_equal(next, address);
}

static void a_reservation_is_given_and_kept(void **state)
{
	struct server *s = *state;

	assert_int_equal(get_lease(s, PXE, 0x99), NET + 200);
	assert_int_equal(get_lease(s, IPXE, 0x99), NET + 200);
	crash(s);
	boot(s);
	assert_int_equal(get_lease(s, OS, 0x99), NET + 200);
}

static void a_lease_ends_by_the_time_that_passed_not_by_the_clock(void **state)
{
	struct server *s = *state;
	uint32_t address = get_lease(s, OS, 1);
	struct client_packet c;

	/* a year forward, then two back: nothing has ended, nothing lasts longer */
	s->wall += 365 * 86400 * SEC;
	client(&c, DHCP_REQUEST, OS, 2);
	client_add_u32(&c, DHCP_OPTION_REQUESTED, address);
	client_add_u32(&c, DHCP_OPTION_SERVER_ID, LOCAL);
	assert_int_equal(ask(s, &c, NULL), DHCP_NAK);
	assert_int_equal(lease_of(s, 1).expires_wall, s->wall + 600 * SEC);
	s->wall -= 2 * 365 * 86400 * SEC;
	assert_int_equal(ask(s, &c, NULL), DHCP_NAK);
	assert_int_equal(lease_of(s, 1).expires_wall, s->wall + 600 * SEC);
	pass(s, 600 * SEC);
	assert_int_equal(ask(s, &c, NULL), DHCP_ACK);
}

static void a_new_configuration_keeps_the_leases(void **state)
{
	struct server *s = *state;
	uint32_t address = get_lease(s, OS, 1);
	struct dhcp_config next = config;
	struct client_packet c;

	next.subnets[0].lease_sec = 60;
	assert_int_equal(dhcp_service_reload(s->dhcp, &next, s->now), 0);
	for (uint8_t i = 2; i <= 51; i++)
		assert_int_not_equal(get_lease(s, OS, i), address);
	next.mode = DHCP_MODE_OFF;
	client(&c, DHCP_DISCOVER, OS, 1);
	assert_int_equal(ask(s, &c, NULL), 0);
	assert_int_equal(dhcp_service_reload(s->dhcp, &config, s->now), 0);
	assert_int_equal(ask(s, &c, NULL), DHCP_OFFER);
}

static void our_own_address_is_never_given(void **state)
{
	struct server *s = *state;
	struct dhcp_config inside = config;
	struct client_packet c;

	inside.subnets[0].first = LOCAL;
	inside.subnets[0].last = LOCAL + 1;
	assert_int_equal(dhcp_service_reload(s->dhcp, &inside, s->now), 0);
	assert_int_equal(get_lease(s, OS, 1), LOCAL + 1);
	client(&c, DHCP_DISCOVER, OS, 2);
	assert_int_equal(ask(s, &c, NULL), 0);
	assert_int_equal(dhcp_service_reload(s->dhcp, &config, s->now), 0);
}

static void the_address_in_a_subnet_speaks_for_us(void **state)
{
	struct server *s = *state;
	const uint32_t addresses[] = { 0x7f000001, NET + 1, NET + 2 };

	assert_int_equal(dhcp_service_choose_local(s->dhcp, addresses, 3), NET + 1);
	assert_int_equal(dhcp_service_choose_local(s->dhcp, addresses, 1), 0x7f000001);
	assert_int_equal(dhcp_service_choose_local(s->dhcp, addresses, 0), 0);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(one_machine_keeps_one_address_through_its_boot),
		TEST(the_host_of_a_known_card_is_named),
		TEST(questions_repeated_are_answered_and_not_recorded),
		TEST(a_batch_is_answered_together),
		TEST(leases_outlive_the_process),
		TEST(an_offer_forgotten_in_a_restart_is_honoured),
		TEST(what_the_store_refuses_is_not_acknowledged),
		TEST(a_released_address_is_free_and_remembered),
		TEST(a_declined_address_is_parked),
		TEST(a_reservation_is_given_and_kept),
		TEST(a_lease_ends_by_the_time_that_passed_not_by_the_clock),
		TEST(a_new_configuration_keeps_the_leases),
		TEST(our_own_address_is_never_given),
		TEST(the_address_in_a_subnet_speaks_for_us),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

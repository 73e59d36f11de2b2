/* SPDX-License-Identifier: MulanPSL-2.0 */
#include "tests/support/test.h"

#include "server/core/dhcp_decide.h"
#include "tests/support/dhcp_client.h"

#define NET   0x0a000000
#define LOCAL (NET + 1)
#define LEASE (NET + 20)
#define FIXED (NET + 200)
#define ASKED (NET + 30)
#define OFFER (NET + 40)
#define FRESH (NET + 50)

static const struct dhcp_config config = {
	.subnets = { { .net = { NET, 24 },
	               .first = NET + 10,
	               .last = NET + 99,
	               .router = NET + 1,
	               .dns = { NET + 2 },
	               .n_dns = 1,
	               .lease_sec = 600 },
	             { .net = { 0x0a010000, 24 }, .lease_sec = 60 } },
	.n_subnets = 2,
};

/* What is known, as flags: the hold of an address is FREE unless another flag says otherwise. */
enum {
	HAS_LEASE = 1, /* formerly */
	BOUND = 2,
	RESERVED = 4,
	OFFERED = 8,
	CANDIDATE = 16,
	LEASE_IS_OTHERS = 32,
	ASKED_IS_OTHERS = 64,
	ASKED_IS_OUTSIDE = 128,
	FIXED_IS_OTHERS = 256,
	NO_SUBNET = 512,
	ASKED_IS_PARKED = 1024,
	ASKED_IS_FOR_ANOTHER = 2048,
};

static struct dhcp_facts facts_of(unsigned known)
{
	struct dhcp_facts f = { .subnet = known & NO_SUBNET ? NULL : &config.subnets[0],
		                .local = LOCAL,
		                .reserved = known & RESERVED ? FIXED : 0,
		                .has_lease = known & (HAS_LEASE | BOUND),
		                .is_bound = known & BOUND,
		                .lease = { .address = LEASE },
		                .offered = known & OFFERED ? OFFER : 0,
		                .candidate = known & CANDIDATE ? FRESH : 0,
		                .hold_reserved = DHCP_HOLD_OUTSIDE };

	f.hold_lease = known & BOUND ? DHCP_HOLD_MINE : DHCP_HOLD_FREE;
	if (known & LEASE_IS_OTHERS)
		f.hold_lease = DHCP_HOLD_OTHER;
	if (known & ASKED_IS_OTHERS)
		f.hold_asked = DHCP_HOLD_OTHER;
	if (known & ASKED_IS_OUTSIDE)
		f.hold_asked = DHCP_HOLD_OUTSIDE;
	if (known & ASKED_IS_PARKED)
		f.hold_asked = DHCP_HOLD_PARKED;
	if (known & ASKED_IS_FOR_ANOTHER)
		f.hold_asked = DHCP_HOLD_RESERVED;
	if (known & FIXED_IS_OTHERS)
		f.hold_reserved = DHCP_HOLD_OTHER;
	return f;
}

struct question {
	enum dhcp_type type;
	uint32_t requested, server_id, ciaddr;
};

static struct dhcp_decision ask(const struct question *question, const struct dhcp_facts *facts)
{
	struct client_packet c;
	struct dhcp_query q;
	struct dhcp_decision d;

	client_init(&c, question->type);
	c.header.ciaddr = question->ciaddr;
	if (question->requested)
		client_add_u32(&c, DHCP_OPTION_REQUESTED, question->requested);
	if (question->server_id)
		client_add_u32(&c, DHCP_OPTION_SERVER_ID, question->server_id);
	assert_int_equal(dhcp_query_parse(client_wire(&c), &q), 0);
	dhcp_decide(&config, &q, facts, &d);
	return d;
}

struct row {
	struct question question;
	unsigned known;
	enum dhcp_action action;
	enum dhcp_reason reason;
	uint32_t address;
};

static void check(const struct row *rows, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		struct dhcp_facts facts = facts_of(rows[i].known);
		struct dhcp_decision d = ask(&rows[i].question, &facts);

		if (d.action != rows[i].action || d.reason != rows[i].reason ||
		    d.address != rows[i].address)
			print_message("row %zu: %s %s %08x\n", i,
			              dhcp_action_to_name((int)d.action),
			              dhcp_reason_to_name((int)d.reason), d.address);
		assert_int_equal(d.action, rows[i].action);
		assert_int_equal(d.reason, rows[i].reason);
		assert_int_equal(d.address, rows[i].address);
		assert_int_equal(d.reply.server_id, LOCAL);
	}
}

static void an_offer_names_the_best_address(void **state)
{
#define DISCOVER                                                                                   \
	{                                                                                          \
		DHCP_DISCOVER, 0, 0, 0                                                             \
	}
#define DISCOVER_ASKED                                                                             \
	{                                                                                          \
		DHCP_DISCOVER, ASKED, 0, 0                                                         \
	}
#define OFFERS(a) DHCP_DO_OFFER, DHCP_REASON_NONE, (a)
	static const struct row rows[] = {
		{ DISCOVER, CANDIDATE, OFFERS(FRESH) },
		{ DISCOVER, 0, DHCP_DO_NOTHING, DHCP_REASON_POOL_FULL, 0 },
		{ DISCOVER, RESERVED | BOUND | OFFERED | CANDIDATE, OFFERS(FIXED) },
		{ DISCOVER, RESERVED | FIXED_IS_OTHERS | BOUND | CANDIDATE, OFFERS(LEASE) },
		{ DISCOVER, RESERVED | FIXED_IS_OTHERS | CANDIDATE, OFFERS(FRESH) },
		{ DISCOVER_ASKED, BOUND | OFFERED | CANDIDATE, OFFERS(LEASE) },
		{ DISCOVER_ASKED, HAS_LEASE | OFFERED | CANDIDATE, OFFERS(OFFER) },
		{ DISCOVER_ASKED, HAS_LEASE | CANDIDATE, OFFERS(LEASE) },
		{ DISCOVER_ASKED, HAS_LEASE | LEASE_IS_OTHERS | CANDIDATE, OFFERS(ASKED) },
		{ DISCOVER_ASKED, CANDIDATE, OFFERS(ASKED) },
		{ DISCOVER_ASKED, CANDIDATE | ASKED_IS_OTHERS, OFFERS(FRESH) },
		{ DISCOVER_ASKED, CANDIDATE | ASKED_IS_PARKED, OFFERS(FRESH) },
		{ DISCOVER_ASKED, CANDIDATE | ASKED_IS_OUTSIDE, OFFERS(FRESH) },
		{ DISCOVER_ASKED, CANDIDATE | ASKED_IS_FOR_ANOTHER, OFFERS(FRESH) },
		{ { DHCP_DISCOVER, 0x0a010005, 0, 0 }, CANDIDATE, OFFERS(FRESH) },
		{ DISCOVER, NO_SUBNET | CANDIDATE, DHCP_DO_NOTHING, DHCP_REASON_NO_SUBNET, 0 },
	};

	check(rows, ARRAY_SIZE(rows));
}

static void a_request_in_selecting_gets_the_offer_or_a_no(void **state)
{
#define SELECT(a)                                                                                  \
	{                                                                                          \
		DHCP_REQUEST, (a), LOCAL, 0                                                        \
	}
	static const struct row rows[] = {
		{ SELECT(ASKED), OFFERED, DHCP_DO_ACK, DHCP_REASON_NONE, ASKED },
		{ SELECT(ASKED), 0, DHCP_DO_ACK, DHCP_REASON_NONE, ASKED }, /* we restarted */
		{ SELECT(FIXED), RESERVED, DHCP_DO_ACK, DHCP_REASON_NONE, FIXED },
		{ SELECT(FIXED), RESERVED | FIXED_IS_OTHERS | ASKED_IS_OTHERS, DHCP_DO_NAK,
		  DHCP_REASON_TAKEN, FIXED },
		{ SELECT(ASKED), ASKED_IS_OTHERS, DHCP_DO_NAK, DHCP_REASON_TAKEN, ASKED },
		{ SELECT(ASKED), ASKED_IS_PARKED, DHCP_DO_NAK, DHCP_REASON_TAKEN, ASKED },
		{ SELECT(ASKED), ASKED_IS_FOR_ANOTHER, DHCP_DO_NAK, DHCP_REASON_TAKEN, ASKED },
		{ SELECT(ASKED), ASKED_IS_OUTSIDE, DHCP_DO_NAK, DHCP_REASON_TAKEN, ASKED },
		{ SELECT(0x0a010005), 0, DHCP_DO_NAK, DHCP_REASON_WRONG_SUBNET, 0x0a010005 },
		{ SELECT(0), 0, DHCP_DO_NAK, DHCP_REASON_WRONG_SUBNET, 0 },
		{ { DHCP_REQUEST, ASKED, LOCAL + 1, 0 },
		  OFFERED,
		  DHCP_DO_WITHDRAW,
		  DHCP_REASON_OTHER_SERVER,
		  0 },
	};

	check(rows, ARRAY_SIZE(rows));
}

static void a_rebooted_client_is_confirmed_refused_or_left_alone(void **state)
{
#define REBOOT(a)                                                                                  \
	{                                                                                          \
		DHCP_REQUEST, (a), 0, 0                                                            \
	}
	static const struct row rows[] = {
		{ REBOOT(LEASE), BOUND, DHCP_DO_ACK, DHCP_REASON_NONE, LEASE },
		{ REBOOT(LEASE), HAS_LEASE, DHCP_DO_ACK, DHCP_REASON_NONE, LEASE },
		{ REBOOT(LEASE), BOUND | ASKED_IS_OUTSIDE, DHCP_DO_ACK, DHCP_REASON_NONE, LEASE },
		{ REBOOT(LEASE), HAS_LEASE | ASKED_IS_OUTSIDE, DHCP_DO_NAK, DHCP_REASON_TAKEN,
		  LEASE },
		{ REBOOT(LEASE), HAS_LEASE | ASKED_IS_OTHERS, DHCP_DO_NAK, DHCP_REASON_TAKEN,
		  LEASE },
		{ REBOOT(FIXED), RESERVED, DHCP_DO_ACK, DHCP_REASON_NONE, FIXED },
		{ REBOOT(ASKED), BOUND, DHCP_DO_NAK, DHCP_REASON_NOT_ITS_OWN, ASKED },
		{ REBOOT(ASKED), RESERVED, DHCP_DO_NAK, DHCP_REASON_NOT_ITS_OWN, ASKED },
		{ REBOOT(ASKED), 0, DHCP_DO_NOTHING, DHCP_REASON_NO_RECORD, 0 },
		{ REBOOT(0x0a010005), 0, DHCP_DO_NAK, DHCP_REASON_WRONG_SUBNET, 0x0a010005 },
		{ REBOOT(0), BOUND, DHCP_DO_NOTHING, DHCP_REASON_NO_ADDRESS, 0 },
	};

	check(rows, ARRAY_SIZE(rows));
}

static void a_running_client_keeps_its_address(void **state)
{
#define RENEW(a)                                                                                   \
	{                                                                                          \
		DHCP_REQUEST, 0, 0, (a)                                                            \
	}
	static const struct row rows[] = {
		{ RENEW(LEASE), BOUND, DHCP_DO_ACK, DHCP_REASON_NONE, LEASE },
		{ RENEW(LEASE), HAS_LEASE, DHCP_DO_ACK, DHCP_REASON_NONE, LEASE },
		{ RENEW(ASKED), 0, DHCP_DO_ACK, DHCP_REASON_NONE, ASKED }, /* we lost our leases */
		{ RENEW(ASKED), ASKED_IS_OTHERS, DHCP_DO_NAK, DHCP_REASON_TAKEN, ASKED },
		{ RENEW(LEASE), BOUND | ASKED_IS_FOR_ANOTHER, DHCP_DO_NAK, DHCP_REASON_TAKEN,
		  LEASE },
		{ RENEW(ASKED), ASKED_IS_OUTSIDE, DHCP_DO_NOTHING, DHCP_REASON_NO_RECORD, 0 },
		{ RENEW(LEASE), BOUND | ASKED_IS_OUTSIDE, DHCP_DO_ACK, DHCP_REASON_NONE, LEASE },
		{ RENEW(0x0b000005), 0, DHCP_DO_NAK, DHCP_REASON_WRONG_SUBNET, 0x0b000005 },
	};

	check(rows, ARRAY_SIZE(rows));
}

static void only_the_owner_gives_up_or_declines(void **state)
{
	static const struct row rows[] = {
		{ { DHCP_RELEASE, 0, LOCAL, LEASE },
		  BOUND,
		  DHCP_DO_RELEASE,
		  DHCP_REASON_NONE,
		  LEASE },
		{ { DHCP_RELEASE, 0, LOCAL, LEASE },
		  HAS_LEASE,
		  DHCP_DO_NOTHING,
		  DHCP_REASON_NOT_ITS_OWN,
		  LEASE },
		{ { DHCP_RELEASE, 0, LOCAL, ASKED },
		  BOUND,
		  DHCP_DO_NOTHING,
		  DHCP_REASON_NOT_ITS_OWN,
		  ASKED },
		{ { DHCP_DECLINE, LEASE, LOCAL, 0 },
		  BOUND,
		  DHCP_DO_PARK,
		  DHCP_REASON_TAKEN,
		  LEASE },
		{ { DHCP_DECLINE, OFFER, LOCAL, 0 },
		  OFFERED,
		  DHCP_DO_PARK,
		  DHCP_REASON_TAKEN,
		  OFFER },
		{ { DHCP_DECLINE, ASKED, LOCAL, 0 },
		  BOUND,
		  DHCP_DO_NOTHING,
		  DHCP_REASON_NOT_ITS_OWN,
		  ASKED },
		{ { DHCP_DECLINE, 0, LOCAL, 0 },
		  BOUND,
		  DHCP_DO_NOTHING,
		  DHCP_REASON_NO_ADDRESS,
		  0 },
	};
	struct dhcp_facts facts = facts_of(RESERVED | BOUND);
	struct dhcp_decision d;

	check(rows, ARRAY_SIZE(rows));
	facts.lease.address = FIXED;
	d = ask(&(struct question){ DHCP_DECLINE, FIXED, LOCAL, 0 }, &facts);
	assert_int_equal(d.action, DHCP_DO_NOTHING);
	assert_int_equal(d.reason, DHCP_REASON_RESERVED);
}

static void inform_gets_options_without_a_lease(void **state)
{
	struct dhcp_facts facts = facts_of(0);
	struct dhcp_decision d = ask(&(struct question){ DHCP_INFORM, 0, 0, ASKED }, &facts);

	assert_int_equal(d.action, DHCP_DO_INFORM);
	assert_int_equal(d.reply.type, DHCP_ACK);
	assert_int_equal(d.reply.yiaddr, 0);
	assert_int_equal(d.reply.lease_sec, 0);
	assert_int_equal(d.reply.router, NET + 1);
	d = ask(&(struct question){ DHCP_INFORM, 0, 0, 0 }, &facts);
	assert_int_equal(d.reason, DHCP_REASON_NO_ADDRESS);
}

static void the_answer_carries_the_subnet_and_the_boot(void **state)
{
	struct dhcp_facts facts = facts_of(CANDIDATE);
	struct client_packet c;
	struct dhcp_query q;
	struct dhcp_decision d;

	client_init(&c, DHCP_DISCOVER);
	client_add_pxe(&c, 7);
	assert_int_equal(dhcp_query_parse(client_wire(&c), &q), 0);
	dhcp_decide(&config, &q, &facts, &d);
	assert_int_equal(d.reply.type, DHCP_OFFER);
	assert_int_equal(d.reply.yiaddr, FRESH);
	assert_int_equal(d.reply.prefix, 24);
	assert_int_equal(d.reply.router, NET + 1);
	assert_int_equal(d.reply.n_dns, 1);
	assert_int_equal(d.reply.lease_sec, 600);
	assert_int_equal(d.reply.next_server, LOCAL);
	assert_string_equal(d.reply.boot_file, "ipxe/bin-x86_64-efi/snponly.efi");
	assert_false(d.is_unknown_arch);
	q.arch = 2;
	dhcp_decide(&config, &q, &facts, &d);
	assert_int_equal(d.action, DHCP_DO_OFFER);
	assert_string_equal(d.reply.boot_file, "");
	assert_true(d.is_unknown_arch);
	q.server_override = 0x0a0a0a0a;
	dhcp_decide(&config, &q, &facts, &d);
	assert_int_equal(d.reply.server_id, 0x0a0a0a0a);
}

static void each_round_of_firmware_or_ipxe_is_one_boot(void **state)
{
	static const struct {
		bool is_ipxe;
		unsigned known;
		int64_t session;
		uint32_t xid;
		bool is_new;
	} rows[] = {
		{ true, 0, 0, 0, true },
		{ true, BOUND, 0, 0x11223344, true },  /* a lease of firmware: no session yet */
		{ true, BOUND, 5, 0x11223344, false }, /* the REQUEST again */
		{ true, BOUND, 5, 0x11223345, true },
		{ false, BOUND, 5, 0x11223344, false },
		{ false, BOUND, 5, 0x11223345, true }, /* firmware: it may load GRUB */
		{ false, 0, 0, 0, true },
	};

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct dhcp_facts facts = facts_of(rows[i].known);
		struct client_packet c;
		struct dhcp_query q;
		struct dhcp_decision d;

		facts.lease.session = rows[i].session;
		facts.lease.session_xid = rows[i].xid;
		client_init(&c, DHCP_REQUEST);
		if (rows[i].is_ipxe)
			client_add_ipxe(&c, 0);
		else
			client_add_pxe(&c, 0);
		client_add_u32(&c, DHCP_OPTION_REQUESTED, LEASE);
		client_add_u32(&c, DHCP_OPTION_SERVER_ID, LOCAL);
		assert_int_equal(dhcp_query_parse(client_wire(&c), &q), 0);
		dhcp_decide(&config, &q, &facts, &d);
		assert_int_equal(d.action, DHCP_DO_ACK);
		assert_int_equal(d.is_new_boot, rows[i].is_new);
	}
}

static void the_policy_makes_the_key(void **state)
{
	static uint8_t long_id[300];
	struct dhcp_config by_id = config;
	struct client_packet c;
	struct dhcp_query q;
	struct lease_key key;

	by_id.key = DHCP_KEY_CLIENT_ID;
	client_init(&c, DHCP_DISCOVER);
	assert_int_equal(dhcp_query_parse(client_wire(&c), &q), 0);
	key = dhcp_client_key(&by_id, &q);
	assert_int_equal(key.len, 7);
	assert_memory_equal(key.octet, "\1\x52\x54\0\x12\x34\x56", 7);
	client_add(&c, DHCP_OPTION_CLIENT_ID, SLICE_LITERAL("\377abc"));
	assert_int_equal(dhcp_query_parse(client_wire(&c), &q), 0);
	key = dhcp_client_key(&config, &q);
	assert_int_equal(key.len, 7);
	key = dhcp_client_key(&by_id, &q);
	assert_slice_equal(lease_key_slice(&key), "\377abc");
	client_add(&c, DHCP_OPTION_CLIENT_ID, slice_make(long_id, sizeof(long_id)));
	assert_int_equal(dhcp_query_parse(client_wire(&c), &q), 0);
	key = dhcp_client_key(&by_id, &q);
	assert_int_equal(key.len, LEASE_KEY_MAX);
}

static void the_subnet_comes_from_the_best_witness(void **state)
{
	static const struct {
		uint32_t link, giaddr, ciaddr;
		int subnet; /* -1: none */
	} rows[] = {
		{ 0, 0, 0, 0 },
		{ 0, 0x0a010001, 0, 1 },
		{ NET, 0x0a010001, 0, 0 },
		{ 0x0b000000, 0x0a010001, 0, -1 },
		{ 0, 0x0b000001, 0, -1 },
		{ 0, 0, 0x0a010009, 1 },
		{ 0, 0, 0x0b000009, 0 },
		{ 0, NET + 3, 0x0a010009, 0 },
	};

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		const struct dhcp_subnet *subnet;
		struct client_packet c;
		struct dhcp_query q;

		client_init(&c, DHCP_REQUEST);
		c.header.giaddr = rows[i].giaddr;
		c.header.ciaddr = rows[i].ciaddr;
		assert_int_equal(dhcp_query_parse(client_wire(&c), &q), 0);
		q.link = rows[i].link;
		subnet = dhcp_client_subnet(&config, &q, LOCAL);
		assert_ptr_equal(subnet,
		                 rows[i].subnet < 0 ? NULL : &config.subnets[rows[i].subnet]);
	}
}

static void mode_off_is_silent(void **state)
{
	struct dhcp_facts facts = facts_of(CANDIDATE);
	struct dhcp_config off = config;
	struct client_packet c;
	struct dhcp_query q;
	struct dhcp_decision d;

	off.mode = DHCP_MODE_OFF;
	client_init(&c, DHCP_DISCOVER);
	assert_int_equal(dhcp_query_parse(client_wire(&c), &q), 0);
	dhcp_decide(&off, &q, &facts, &d);
	assert_int_equal(d.action, DHCP_DO_NOTHING);
	assert_int_equal(d.reason, DHCP_REASON_OFF);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_offer_names_the_best_address),
		cmocka_unit_test(a_request_in_selecting_gets_the_offer_or_a_no),
		cmocka_unit_test(a_rebooted_client_is_confirmed_refused_or_left_alone),
		cmocka_unit_test(a_running_client_keeps_its_address),
		cmocka_unit_test(only_the_owner_gives_up_or_declines),
		cmocka_unit_test(inform_gets_options_without_a_lease),
		cmocka_unit_test(the_answer_carries_the_subnet_and_the_boot),
		cmocka_unit_test(each_round_of_firmware_or_ipxe_is_one_boot),
		cmocka_unit_test(the_policy_makes_the_key),
		cmocka_unit_test(the_subnet_comes_from_the_best_witness),
		cmocka_unit_test(mode_off_is_silent),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

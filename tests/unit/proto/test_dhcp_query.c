/* SPDX-License-Identifier: MulanPSL-2.0 */
#include "tests/support/test.h"

#include "server/proto/dhcp_query.h"
#include "tests/support/dhcp_client.h"

static void firmware_says_who_it_is(void **state)
{
	struct client_packet c;
	struct dhcp_query q;

	client_init(&c, DHCP_REQUEST);
	client_add_pxe(&c, 7);
	client_add_u32(&c, DHCP_OPTION_REQUESTED, 0x0a000005);
	client_add_u32(&c, DHCP_OPTION_SERVER_ID, 0x0a000001);
	client_add_u16(&c, DHCP_OPTION_MAX_SIZE, 1472);
	client_add(&c, DHCP_OPTION_HOSTNAME, SLICE_LITERAL("vm\0\0"));
	assert_int_equal(dhcp_query_parse(client_wire(&c), &q), 0);
	assert_int_equal(q.type, DHCP_REQUEST);
	assert_int_equal(q.stage, DHCP_STAGE_PXE);
	assert_true(q.has_arch);
	assert_int_equal(q.arch, 7);
	assert_int_equal(q.requested, 0x0a000005);
	assert_int_equal(q.server_id, 0x0a000001);
	assert_int_equal(q.max_size, 1472);
	assert_int_equal(q.uuid.len, 17);
	assert_int_equal(q.mac.octet[5], 0x56);
	assert_slice_equal(q.hostname, "vm");
	assert_true(dhcp_query_asks(&q, DHCP_OPTION_BOOT_FILE));
	assert_false(dhcp_query_asks(&q, DHCP_OPTION_HOSTNAME));
}

static void stages_are_told_apart_ipxe_first(void **state)
{
	static const struct {
		struct slice vendor_class, user_class, ipxe, arch;
		enum dhcp_stage stage;
		bool lacks_http;
	} rows[] = {
#define PXE SLICE_LITERAL("PXEClient:Arch:00007:UNDI:003016")
		{ SLICE_NULL, SLICE_NULL, SLICE_NULL, SLICE_NULL, DHCP_STAGE_OS, false },
		{ SLICE_LITERAL("udhcp 1.35.0"), SLICE_NULL, SLICE_NULL, SLICE_NULL, DHCP_STAGE_OS,
		  false },
		{ PXE, SLICE_NULL, SLICE_NULL, SLICE_LITERAL("\0\7"), DHCP_STAGE_PXE, false },
		{ PXE, SLICE_NULL, SLICE_NULL, SLICE_NULL, DHCP_STAGE_PXE, false },
		{ SLICE_NULL, SLICE_NULL, SLICE_NULL, SLICE_LITERAL("\0\0"), DHCP_STAGE_PXE,
		  false },
		{ SLICE_NULL, SLICE_NULL, SLICE_NULL, SLICE_LITERAL("\0\20"), DHCP_STAGE_HTTP,
		  false },
		{ SLICE_LITERAL("HTTPClient:Arch:00016:UNDI:003001"), SLICE_NULL, SLICE_NULL,
		  SLICE_LITERAL("\0\20"), DHCP_STAGE_HTTP, false },
		{ PXE, SLICE_LITERAL("iPXE"), SLICE_NULL, SLICE_LITERAL("\0\7"), DHCP_STAGE_IPXE,
		  false },
		{ PXE, SLICE_LITERAL("iPXE\0"), SLICE_NULL, SLICE_NULL, DHCP_STAGE_IPXE, false },
		{ PXE, SLICE_LITERAL("\4iPXE"), SLICE_NULL, SLICE_NULL, DHCP_STAGE_IPXE, false },
		{ PXE, SLICE_LITERAL("\3abc\4iPXE\1x"), SLICE_NULL, SLICE_NULL, DHCP_STAGE_IPXE,
		  false },
		{ PXE, SLICE_LITERAL("\5iPXE"), SLICE_NULL, SLICE_NULL, DHCP_STAGE_PXE, false },
		{ PXE, SLICE_LITERAL("iPXE2"), SLICE_NULL, SLICE_NULL, DHCP_STAGE_PXE, false },
		{ PXE, SLICE_LITERAL("ipxe"), SLICE_NULL, SLICE_NULL, DHCP_STAGE_PXE, false },
		{ PXE, SLICE_NULL, SLICE_LITERAL("\x13\1\1"), SLICE_NULL, DHCP_STAGE_IPXE, false },
		{ PXE, SLICE_NULL, SLICE_LITERAL("\xb1\1\1"), SLICE_NULL, DHCP_STAGE_IPXE, false },
		{ PXE, SLICE_NULL, SLICE_LITERAL("\x18\1\1"), SLICE_NULL, DHCP_STAGE_IPXE, true },
		{ PXE, SLICE_NULL, SLICE_LITERAL("\x18\1\1\x13\1\0"), SLICE_NULL, DHCP_STAGE_IPXE,
		  true },
		{ SLICE_NULL, SLICE_NULL, SLICE_LITERAL("\x13"), SLICE_NULL, DHCP_STAGE_IPXE,
		  false },
#undef PXE
	};

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct client_packet c;
		struct dhcp_query q;

		client_init(&c, DHCP_DISCOVER);
		if (rows[i].vendor_class.len)
			client_add(&c, DHCP_OPTION_VENDOR_CLASS, rows[i].vendor_class);
		if (rows[i].user_class.len)
			client_add(&c, DHCP_OPTION_USER_CLASS, rows[i].user_class);
		if (rows[i].ipxe.len)
			client_add(&c, DHCP_OPTION_IPXE, rows[i].ipxe);
		if (rows[i].arch.len)
			client_add(&c, DHCP_OPTION_ARCH, rows[i].arch);
		assert_int_equal(dhcp_query_parse(client_wire(&c), &q), 0);
		assert_int_equal(q.stage, rows[i].stage);
		assert_int_equal(q.is_ipxe_without_http, rows[i].lacks_http);
	}
}

static void each_malformed_packet_has_its_reason(void **state)
{
	enum change {
		OP,
		HTYPE,
		HLEN,
		GROUP,
		NOBODY,
		HOPS,
		TYPE,
		LENGTH_54,
		ODD_93,
		LENGTH_53,
		NONE
	};
	static const struct {
		enum change change;
		int r;
	} rows[] = {
		{ NONE, 0 },
		{ OP, DHCP_QUERY_NOT_REQUEST },
		{ HTYPE, DHCP_QUERY_BAD_HARDWARE },
		{ HLEN, DHCP_QUERY_BAD_HARDWARE },
		{ GROUP, DHCP_QUERY_BAD_HARDWARE },
		{ NOBODY, DHCP_QUERY_BAD_HARDWARE },
		{ HOPS, DHCP_QUERY_LOOP },
		{ TYPE, DHCP_QUERY_BAD_TYPE },
		{ LENGTH_53, DHCP_QUERY_BAD_VALUE },
		{ LENGTH_54, DHCP_QUERY_BAD_VALUE },
		{ ODD_93, DHCP_QUERY_BAD_VALUE },
	};

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		enum change change = rows[i].change;
		struct client_packet c;
		struct dhcp_query q;

		client_init(&c, change == TYPE ? DHCP_OFFER : DHCP_DISCOVER);
		c.header.op = change == OP ? 2 : 1;
		c.header.htype = change == HTYPE ? 32 : 1;
		c.header.hlen = change == HLEN ? 17 : 6;
		c.header.hops = change == HOPS ? 17 : 16;
		if (change == GROUP)
			c.header.chaddr[0] |= 1;
		if (change == NOBODY)
			memset(c.header.chaddr, 0, 6);
		if (change == LENGTH_53)
			client_add(&c, DHCP_OPTION_TYPE, SLICE_LITERAL("\1"));
		if (change == LENGTH_54)
			client_add(&c, DHCP_OPTION_SERVER_ID, SLICE_LITERAL("\1\2\3"));
		if (change == ODD_93)
			client_add(&c, DHCP_OPTION_ARCH, SLICE_LITERAL("\0\7\0"));
		assert_int_equal(dhcp_query_parse(client_wire(&c), &q), rows[i].r);
	}
}

static void packets_that_are_no_dhcp_have_reasons_too(void **state)
{
	struct client_packet c;
	struct dhcp_query q;
	struct slice wire;

	client_init(&c, DHCP_DISCOVER);
	c.n_options = 0;
	wire = client_wire(&c);
	assert_int_equal(dhcp_query_parse(wire, &q), DHCP_QUERY_NO_TYPE);
	assert_int_equal(dhcp_query_parse(slice_sub(wire, 0, 200), &q), DHCP_QUERY_SHORT);
	c.wire[237] ^= 1;
	assert_int_equal(dhcp_query_parse(wire, &q), DHCP_QUERY_BAD_COOKIE);
	client_init(&c, DHCP_DISCOVER);
	c.options[1] = 200;
	assert_int_equal(dhcp_query_parse(client_wire(&c), &q), DHCP_QUERY_BAD_OPTIONS);
	assert_string_equal(dhcp_query_outcome_to_name(DHCP_QUERY_BAD_OPTIONS), "bad_options");
}

static void what_a_relay_says_counts_only_from_a_relay(void **state)
{
	struct client_packet c;
	struct dhcp_query q;

	client_init(&c, DHCP_DISCOVER);
	client_add(&c, DHCP_OPTION_RELAY, SLICE_LITERAL("\1\2ab\5\4\12\1\0\0\13\4\12\1\0\1"));
	assert_int_equal(dhcp_query_parse(client_wire(&c), &q), 0);
	assert_true(q.has_relay);
	assert_int_equal(q.link, 0);
	assert_int_equal(q.server_override, 0);
	c.header.giaddr = 0x0a020001;
	assert_int_equal(dhcp_query_parse(client_wire(&c), &q), 0);
	assert_int_equal(q.link, 0x0a010000);
	assert_int_equal(q.server_override, 0x0a010001);
	assert_int_equal(q.relay.len, 16);
}

static void joined_options_that_fill_the_packet_are_read(void **state)
{
	static uint8_t filler[1300];
	struct client_packet c;
	struct dhcp_query q;

	client_init(&c, DHCP_DISCOVER);
	client_add(&c, DHCP_OPTION_CLIENT_ID, slice_make(filler, sizeof(filler)));
	assert_int_equal(dhcp_query_parse(client_wire(&c), &q), 0);
	assert_int_equal(q.client_id.len, sizeof(filler));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(firmware_says_who_it_is),
		cmocka_unit_test(stages_are_told_apart_ipxe_first),
		cmocka_unit_test(each_malformed_packet_has_its_reason),
		cmocka_unit_test(packets_that_are_no_dhcp_have_reasons_too),
		cmocka_unit_test(what_a_relay_says_counts_only_from_a_relay),
		cmocka_unit_test(joined_options_that_fill_the_packet_are_read),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

/* SPDX-License-Identifier: MulanPSL-2.0 */
#include "tests/support/test.h"

#include "server/proto/dhcp_reply.h"
#include "tests/support/dhcp_client.h"

static const struct dhcp_reply plain = {
	.type = DHCP_OFFER,
	.yiaddr = 0xac1f0064,
	.server_id = 0xac1f0001,
	.lease_sec = 3600,
	.prefix = 24,
	.router = 0xac1f0001,
	.dns = { 0xac1f0001, 0x08080808 },
	.n_dns = 2,
	.next_server = 0xac1f0002,
};

struct built {
	uint8_t wire[DHCP_REPLY_SIZE_MAX];
	size_t len;
	struct dhcp_message m;
	uint8_t scratch[1024];
	struct bytes joined;
};

static int build(struct client_packet *c, const struct dhcp_reply *reply, size_t limit,
                 struct built *ret)
{
	struct bytes out = BYTES_ON(ret->wire);
	struct dhcp_query q;
	int r;

	ret->joined = BYTES_ON(ret->scratch);
	assert_int_equal(dhcp_query_parse(client_wire(c), &q), 0);
	r = dhcp_reply_build(&q, reply, limit ? limit : dhcp_reply_limit(&q, 1500), &out);
	if (r != 0)
		return r;
	ret->len = out.len;
	assert_true(out.len >= DHCP_REPLY_MIN);
	assert_int_equal(dhcp_message_parse(bytes_slice(&out), &ret->m), 0);
	return 0;
}

/* The value of an option as hexadecimal text; "-" when it is absent. */
static const char *option(struct built *b, uint8_t code)
{
	static char text[1100];
	struct slice value;

	if (dhcp_message_option(&b->m, code, &b->joined, &value) != 0)
		return "-";
	text[0] = '\0';
	for (size_t i = 0; i < value.len; i++)
		(void)snprintf(text + 2 * i, 3, "%02x", value.data[i]);
	return text;
}

/* All codes in the order of the wire. */
static const char *codes(const struct built *b)
{
	static char text[256];
	struct dhcp_option_iter iter;
	struct slice value;
	size_t len = 0;
	uint8_t code;

	text[0] = '\0';
	dhcp_option_iter_init(&iter, &b->m);
	while (dhcp_option_next(&iter, &code, &value))
		len += (size_t)snprintf(text + len, sizeof(text) - len, "%s%u", len ? " " : "",
		                        code);
	return text;
}

/* The last code of the options field, where relays look. */
static uint8_t last_of_options(const struct built *b)
{
	struct slice rest = b->m.options, value;
	uint8_t code = 0;

	while (dhcp_encapsulated_next(&rest, &code, &value))
		;
	return code;
}

static void an_os_gets_what_it_asks_for(void **state)
{
	struct client_packet c;
	struct built b;

	client_init(&c, DHCP_DISCOVER);
	c.header.xid = 0xcafe0001;
	c.header.secs = 9;
	c.header.flags = DHCP_FLAG_BROADCAST;
	c.header.giaddr = 0x0a000001;
	c.header.chaddr[15] = 0x77;
	client_add(&c, DHCP_OPTION_CLIENT_ID, SLICE_LITERAL("\377abc"));
	client_add(&c, DHCP_OPTION_PARAMETERS, SLICE_LITERAL("\6\1\3\6\14\34"));
	assert_int_equal(build(&c, &plain, 0, &b), 0);
	assert_int_equal(b.m.op, 2);
	assert_int_equal(b.m.htype, 1);
	assert_int_equal(b.m.hlen, 6);
	assert_int_equal(b.m.hops, 0);
	assert_int_equal(b.m.secs, 0);
	assert_int_equal(b.m.xid, 0xcafe0001);
	assert_int_equal(b.m.flags, DHCP_FLAG_BROADCAST);
	assert_int_equal(b.m.giaddr, 0x0a000001);
	assert_int_equal(b.m.yiaddr, 0xac1f0064);
	assert_int_equal(b.m.siaddr, 0);
	assert_memory_equal(b.m.chaddr, c.header.chaddr, 16);
	assert_string_equal(codes(&b), "53 54 51 58 59 1 61 6 3 28");
	assert_string_equal(option(&b, DHCP_OPTION_TYPE), "02");
	assert_string_equal(option(&b, DHCP_OPTION_SERVER_ID), "ac1f0001");
	assert_string_equal(option(&b, DHCP_OPTION_LEASE_TIME), "00000e10");
	assert_string_equal(option(&b, DHCP_OPTION_T1), "00000708");
	assert_string_equal(option(&b, DHCP_OPTION_T2), "00000c4e");
	assert_string_equal(option(&b, DHCP_OPTION_NETMASK), "ffffff00");
	assert_string_equal(option(&b, DHCP_OPTION_CLIENT_ID), "ff616263");
	assert_string_equal(option(&b, DHCP_OPTION_DNS), "ac1f000108080808");
	assert_string_equal(option(&b, DHCP_OPTION_ROUTER), "ac1f0001");
	assert_string_equal(option(&b, DHCP_OPTION_BROADCAST), "ac1f00ff");
}

static void each_kind_of_client_gets_its_marks(void **state)
{
	static const char uuid[] = "000102030405060708090a0b0c0d0e0f10";
	struct dhcp_reply reply = plain;
	struct client_packet c;
	struct built b;

	(void)strcpy(reply.boot_file, "snponly.efi");
	client_init(&c, DHCP_DISCOVER);
	client_add_pxe(&c, 7);
	assert_int_equal(build(&c, &reply, 0, &b), 0);
	assert_string_equal(option(&b, DHCP_OPTION_VENDOR_CLASS), "505845436c69656e74");
	assert_string_equal(option(&b, DHCP_OPTION_VENDOR), "060108ff");
	assert_string_equal(option(&b, DHCP_OPTION_UUID), uuid);
	assert_string_equal(option(&b, DHCP_OPTION_BOOT_FILE), "736e706f6e6c792e656669");
	assert_string_equal(option(&b, DHCP_OPTION_TFTP_SERVER), "3137322e33312e302e32");
	assert_string_equal(option(&b, DHCP_OPTION_IPXE), "-");
	assert_string_equal((const char *)b.m.file.data, "snponly.efi");
	assert_int_equal(b.m.siaddr, 0xac1f0002);

	client_init(&c, DHCP_DISCOVER);
	client_add_ipxe(&c, 7);
	assert_int_equal(build(&c, &reply, 0, &b), 0);
	assert_string_equal(option(&b, DHCP_OPTION_IPXE), "b00101ff");
	assert_string_equal(option(&b, DHCP_OPTION_VENDOR_CLASS), "-");
	assert_string_equal(option(&b, DHCP_OPTION_VENDOR), "-");
	assert_string_equal(option(&b, DHCP_OPTION_UUID), uuid);

	client_init(&c, DHCP_DISCOVER);
	client_add_text(&c, DHCP_OPTION_VENDOR_CLASS, "HTTPClient:Arch:00016:UNDI:003001");
	(void)strcpy(reply.boot_file, "http://172.31.0.2:8000/tftp/snponly.efi");
	assert_int_equal(build(&c, &reply, 0, &b), 0);
	assert_string_equal(option(&b, DHCP_OPTION_VENDOR_CLASS), "48545450436c69656e74");
	assert_string_equal(option(&b, DHCP_OPTION_VENDOR), "-");
	assert_string_equal(option(&b, DHCP_OPTION_UUID), "-");
}

static void boot_options_come_only_when_asked_for(void **state)
{
	struct dhcp_reply reply = plain;
	struct client_packet c;
	struct built b;

	(void)strcpy(reply.boot_file, "undionly.kpxe");
	client_init(&c, DHCP_DISCOVER);
	client_add_u16(&c, DHCP_OPTION_ARCH, 0);
	client_add(&c, DHCP_OPTION_PARAMETERS, SLICE_LITERAL("\1\3"));
	assert_int_equal(build(&c, &reply, 0, &b), 0);
	assert_string_equal(codes(&b), "53 54 51 58 59 1 60 43 3");
	assert_string_equal((const char *)b.m.file.data, "undionly.kpxe");
}

static void option_82_is_the_last_one_and_comes_back_whole(void **state)
{
	static uint8_t relay[255];
	struct client_packet c;
	struct built b;

	memset(relay, 0xa5, sizeof(relay));
	for (size_t len = 0; len <= sizeof(relay); len += 51) {
		client_init(&c, DHCP_DISCOVER);
		client_add(&c, DHCP_OPTION_RELAY, slice_make(relay, len));
		assert_int_equal(build(&c, &plain, 0, &b), 0);
		assert_int_equal(strlen(option(&b, DHCP_OPTION_RELAY)), 2 * len);
		assert_int_equal(last_of_options(&b), DHCP_OPTION_RELAY);
	}
	/* three parts of it leave no space for what an answer must have */
	client_init(&c, DHCP_DISCOVER);
	for (int i = 0; i < 2; i++)
		client_add(&c, DHCP_OPTION_RELAY, slice_make(relay, sizeof(relay)));
	assert_int_equal(build(&c, &plain, 0, &b), DHCP_REPLY_NO_ROOM);
}

static void a_nak_says_no_more_than_it_may(void **state)
{
	struct dhcp_reply reply = { .type = DHCP_NAK, .server_id = 1, .message = "no" };
	struct client_packet c;
	struct built b;

	client_init(&c, DHCP_REQUEST);
	client_add_ipxe(&c, 7);
	c.header.ciaddr = 0x0a000009;
	c.header.giaddr = 0x0a000001;
	client_add(&c, DHCP_OPTION_RELAY, SLICE_LITERAL("\1\1x"));
	assert_int_equal(build(&c, &reply, 0, &b), 0);
	assert_string_equal(codes(&b), "53 54 56 82");
	assert_int_equal(b.m.ciaddr, 0);
	assert_int_equal(b.m.yiaddr, 0);
	assert_int_equal(b.m.flags, DHCP_FLAG_BROADCAST);
	c.header.giaddr = 0;
	assert_int_equal(build(&c, &reply, 0, &b), 0);
	assert_int_equal(b.m.flags, 0);
}

static void an_inform_gets_no_times(void **state)
{
	struct dhcp_reply reply = plain;
	struct client_packet c;
	struct built b;

	reply.type = DHCP_ACK;
	reply.yiaddr = 0;
	reply.lease_sec = 0;
	client_init(&c, DHCP_INFORM);
	c.header.ciaddr = 0xac1f0065;
	assert_int_equal(build(&c, &reply, 0, &b), 0);
	assert_int_equal(b.m.yiaddr, 0);
	assert_int_equal(b.m.ciaddr, 0xac1f0065);
	assert_string_equal(codes(&b), "53 54 1 3 6 28");
	assert_string_equal(option(&b, DHCP_OPTION_BROADCAST), "ac1f00ff");
}

static void a_lease_for_ever_has_no_t1(void **state)
{
	struct dhcp_reply reply = plain;
	struct client_packet c;
	struct built b;

	reply.lease_sec = UINT32_MAX;
	client_init(&c, DHCP_DISCOVER);
	assert_int_equal(build(&c, &reply, 0, &b), 0);
	assert_string_equal(option(&b, DHCP_OPTION_LEASE_TIME), "ffffffff");
	assert_string_equal(option(&b, DHCP_OPTION_T1), "-");
}

static void the_limit_follows_option_57_and_the_mtu(void **state)
{
	static const struct {
		uint16_t option;
		size_t mtu, limit;
	} rows[] = {
		{ 0, 1500, 548 },      { 300, 1500, 548 },   { 576, 1500, 548 },
		{ 1000, 1500, 972 },   { 1472, 1500, 1444 }, { 65280, 1500, 1472 },
		{ 65280, 9000, 1472 }, { 1472, 1280, 1252 }, { 1472, 100, 548 },
	};

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct client_packet c;
		struct dhcp_query q;

		client_init(&c, DHCP_DISCOVER);
		if (rows[i].option)
			client_add_u16(&c, DHCP_OPTION_MAX_SIZE, rows[i].option);
		assert_int_equal(dhcp_query_parse(client_wire(&c), &q), 0);
		assert_int_equal(dhcp_reply_limit(&q, rows[i].mtu), rows[i].limit);
	}
}

static void overload_helps_an_os_but_never_firmware(void **state)
{
	static uint8_t id[200];
	struct client_packet c;
	struct built b;

	for (int firmware = 0; firmware < 2; firmware++) {
		client_init(&c, DHCP_DISCOVER);
		if (firmware)
			client_add_pxe(&c, 0);
		client_add(&c, DHCP_OPTION_CLIENT_ID, slice_make(id, sizeof(id)));
		client_add(&c, DHCP_OPTION_RELAY, slice_make(id, 120));
		assert_int_equal(build(&c, &plain, 548, &b), 0);
		assert_true(b.len <= 548);
		assert_string_equal(option(&b, DHCP_OPTION_OVERLOAD), "-");
		c.options[2] = DHCP_DISCOVER;
		client_add(&c, DHCP_OPTION_RELAY, slice_make(id, 60));
		assert_int_equal(build(&c, &plain, 548, &b), 0);
		assert_true(b.len <= 548);
		assert_string_equal(option(&b, DHCP_OPTION_RELAY) ? "x" : "", "x");
	}
	/* what is left of 300 bytes when 82 and the must-haves are in goes to `file`, then `sname`
	 */
	client_init(&c, DHCP_DISCOVER);
	client_add(&c, DHCP_OPTION_CLIENT_ID, slice_make(id, 100));
	assert_int_equal(build(&c, &plain, 300, &b), 0);
	assert_int_equal(b.len, 300);
	assert_string_equal(option(&b, DHCP_OPTION_OVERLOAD), "01");
	assert_int_equal(strlen(option(&b, DHCP_OPTION_CLIENT_ID)), 200);
	assert_string_equal(option(&b, DHCP_OPTION_ROUTER), "ac1f0001");
}

static void a_name_too_long_for_the_field_needs_option_67(void **state)
{
	struct dhcp_reply reply = plain;
	struct client_packet c;
	struct built b;

	memset(reply.boot_file, 'u', 200);
	client_init(&c, DHCP_DISCOVER);
	client_add(&c, DHCP_OPTION_PARAMETERS, SLICE_LITERAL("\1\3"));
	assert_int_equal(build(&c, &reply, 0, &b), DHCP_REPLY_NO_ROOM);
	client_init(&c, DHCP_DISCOVER);
	client_add(&c, DHCP_OPTION_PARAMETERS, SLICE_LITERAL("\1\3\103"));
	assert_int_equal(build(&c, &reply, 0, &b), 0);
	assert_int_equal(b.m.file.data[0], 0);
	assert_int_equal(strlen(option(&b, DHCP_OPTION_BOOT_FILE)), 400);
	assert_int_equal(build(&c, &reply, 300, &b), DHCP_REPLY_NO_ROOM);
}

static void padding_comes_after_the_end(void **state)
{
	struct client_packet c;
	struct built b;
	size_t i;

	client_init(&c, DHCP_DISCOVER);
	client_add(&c, DHCP_OPTION_PARAMETERS, SLICE_LITERAL("\1"));
	assert_int_equal(build(&c, &plain, 0, &b), 0);
	assert_int_equal(b.len, DHCP_REPLY_MIN);
	for (i = b.len - 1; b.wire[i] == 0; i--)
		;
	assert_int_equal(b.wire[i], DHCP_OPTION_END);
	assert_string_equal(codes(&b), "53 54 51 58 59 1");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_os_gets_what_it_asks_for),
		cmocka_unit_test(each_kind_of_client_gets_its_marks),
		cmocka_unit_test(boot_options_come_only_when_asked_for),
		cmocka_unit_test(option_82_is_the_last_one_and_comes_back_whole),
		cmocka_unit_test(a_nak_says_no_more_than_it_may),
		cmocka_unit_test(an_inform_gets_no_times),
		cmocka_unit_test(a_lease_for_ever_has_no_t1),
		cmocka_unit_test(the_limit_follows_option_57_and_the_mtu),
		cmocka_unit_test(overload_helps_an_os_but_never_firmware),
		cmocka_unit_test(a_name_too_long_for_the_field_needs_option_67),
		cmocka_unit_test(padding_comes_after_the_end),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

/* SPDX-License-Identifier: MulanPSL-2.0 */
#include "tests/support/test.h"

#include "tests/support/dhcp_client.h"

static void what_is_built_parses_to_the_same(void **state)
{
	struct dhcp_message in = {
		.op = 2,
		.htype = 1,
		.hlen = 6,
		.hops = 3,
		.xid = 0xdeadbeef,
		.secs = 7,
		.flags = DHCP_FLAG_BROADCAST,
		.ciaddr = 0x0a000001,
		.yiaddr = 0x0a000002,
		.siaddr = 0x0a000003,
		.giaddr = 0x0a000004,
		.chaddr = { 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16 },
		.sname = SLICE_LITERAL("server"),
		.file = SLICE_LITERAL("boot.ipxe"),
	};
	uint8_t wire[400], again[400];
	struct bytes out = BYTES_ON(wire), second = BYTES_ON(again);
	struct dhcp_message m;

	dhcp_message_build(&in, &out);
	dhcp_option_append(&out, DHCP_OPTION_TYPE, SLICE_LITERAL("\1"));
	bytes_append_u8(&out, DHCP_OPTION_END);
	assert_int_equal(dhcp_message_parse(bytes_slice(&out), &m), 0);
	assert_int_equal(m.op, 2);
	assert_int_equal(m.hops, 3);
	assert_int_equal(m.xid, 0xdeadbeef);
	assert_int_equal(m.secs, 7);
	assert_int_equal(m.flags, DHCP_FLAG_BROADCAST);
	assert_int_equal(m.ciaddr, 0x0a000001);
	assert_int_equal(m.yiaddr, 0x0a000002);
	assert_int_equal(m.siaddr, 0x0a000003);
	assert_int_equal(m.giaddr, 0x0a000004);
	assert_memory_equal(m.chaddr, in.chaddr, 16);
	assert_string_equal((const char *)m.file.data, "boot.ipxe");
	dhcp_message_build(&m, &second);
	bytes_append_slice(&second, m.options);
	assert_true(slice_equal(bytes_slice(&out), bytes_slice(&second)));
}

static void broken_packets_are_told_apart(void **state)
{
	static const struct {
		struct slice options;
		int r;
	} rows[] = {
		{ SLICE_LITERAL(""), 0 },
		{ SLICE_LITERAL("\377"), 0 },
		{ SLICE_LITERAL("\0\0\0"), 0 },
		{ SLICE_LITERAL("\65\1\1\377"), 0 },
		{ SLICE_LITERAL("\65\1\1"), 0 }, /* an END forgotten is forgiven */
		{ SLICE_LITERAL("\65\0\377"), 0 },
		{ SLICE_LITERAL("\65\1\1\377\65\377"), 0 }, /* nobody reads on after END */
		{ SLICE_LITERAL("\65"), DHCP_MESSAGE_BAD_OPTIONS },
		{ SLICE_LITERAL("\65\1"), DHCP_MESSAGE_BAD_OPTIONS },
		{ SLICE_LITERAL("\65\2\1"), DHCP_MESSAGE_BAD_OPTIONS },
		{ SLICE_LITERAL("\65\1\1\14\377"), DHCP_MESSAGE_BAD_OPTIONS },
	};

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		uint8_t wire[DHCP_HEADER_SIZE + 16];
		struct bytes out = BYTES_ON(wire);
		struct dhcp_message header = { .op = 1 }, m;

		dhcp_message_build(&header, &out);
		bytes_append_slice(&out, rows[i].options);
		assert_int_equal(dhcp_message_parse(bytes_slice(&out), &m), rows[i].r);
		assert_int_equal(dhcp_message_parse(slice_make(wire, DHCP_HEADER_SIZE - 1), &m),
		                 DHCP_MESSAGE_SHORT);
		wire[236] ^= 1;
		assert_int_equal(dhcp_message_parse(bytes_slice(&out), &m),
		                 DHCP_MESSAGE_BAD_COOKIE);
	}
	assert_int_equal(dhcp_message_parse(SLICE_NULL, &(struct dhcp_message){ .op = 1 }),
	                 DHCP_MESSAGE_SHORT);
}

/* Codes in the order of the walk, as text: "53 12 60". */
static void walk(struct slice packet, char text[128])
{
	struct dhcp_option_iter iter;
	struct dhcp_message m;
	struct slice value;
	uint8_t code;
	size_t len = 0;

	assert_int_equal(dhcp_message_parse(packet, &m), 0);
	dhcp_option_iter_init(&iter, &m);
	text[0] = '\0';
	while (dhcp_option_next(&iter, &code, &value))
		len += (size_t)snprintf(text + len, 128 - len, "%s%u", len ? " " : "", code);
}

static void options_hide_in_file_and_sname(void **state)
{
	static const struct {
		struct slice options;
		const char *walk;
	} rows[] = {
		{ SLICE_LITERAL("\64\1\1"), "53 52 12" },
		{ SLICE_LITERAL("\64\1\2"), "53 52 60" },
		{ SLICE_LITERAL("\64\1\3"), "53 52 12 60" },
		{ SLICE_LITERAL("\64\1\0"), "53 52" }, /* other values mean nothing */
		{ SLICE_LITERAL("\64\1\4"), "53 52" },
		{ SLICE_LITERAL("\64\2\3\3"), "53 52" },
	};
	char text[128];

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct client_packet c;

		client_init(&c, DHCP_DISCOVER);
		c.header.file = SLICE_LITERAL("\14\2ab\377\6\377"); /* after END: no option */
		c.header.sname = SLICE_LITERAL("\0\74\1x\0");
		memcpy(c.options + c.n_options, rows[i].options.data, rows[i].options.len);
		c.n_options += rows[i].options.len;
		walk(client_wire(&c), text);
		assert_string_equal(text, rows[i].walk);
	}
}

static void a_nested_overload_is_ignored_and_a_broken_field_is_not(void **state)
{
	struct client_packet c;
	struct dhcp_message m;
	char text[128];

	client_init(&c, DHCP_DISCOVER);
	client_add(&c, DHCP_OPTION_OVERLOAD, SLICE_LITERAL("\1"));
	c.header.file = SLICE_LITERAL("\64\1\2\14\1a");
	c.header.sname = SLICE_LITERAL("\74\1x");
	walk(client_wire(&c), text);
	assert_string_equal(text, "53 52 52 12");
	c.header.file = SLICE_LITERAL("\14\377");
	assert_int_equal(dhcp_message_parse(client_wire(&c), &m), DHCP_MESSAGE_BAD_OPTIONS);
}

static void parts_of_an_option_are_joined(void **state)
{
	uint8_t room[16];
	struct bytes scratch = BYTES_ON(room), tight = { .data = room, .cap = 5 };
	struct client_packet c;
	struct dhcp_message m;
	struct slice value;

	client_init(&c, DHCP_DISCOVER);
	client_add_text(&c, DHCP_OPTION_HOSTNAME, "ab");
	client_add(&c, DHCP_OPTION_OVERLOAD, SLICE_LITERAL("\3"));
	client_add_text(&c, DHCP_OPTION_HOSTNAME, "cd");
	c.header.sname = SLICE_LITERAL("\14\1f");
	c.header.file = SLICE_LITERAL("\14\1e\74\0");
	assert_int_equal(dhcp_message_parse(client_wire(&c), &m), 0);
	assert_int_equal(dhcp_message_option(&m, DHCP_OPTION_HOSTNAME, &scratch, &value), 0);
	assert_slice_equal(value, "abcdef");
	assert_int_equal(dhcp_message_option(&m, DHCP_OPTION_VENDOR_CLASS, &scratch, &value), 0);
	assert_int_equal(value.len, 0);
	assert_int_equal(dhcp_message_option(&m, DHCP_OPTION_UUID, &scratch, &value),
	                 DHCP_OPTION_ABSENT);
	assert_int_equal(dhcp_message_option(&m, DHCP_OPTION_HOSTNAME, &tight, &value),
	                 DHCP_OPTION_NO_ROOM);
}

static void a_long_option_goes_out_in_parts(void **state)
{
	uint8_t value[300], wire[400], joined[400];
	struct bytes out = BYTES_ON(wire), scratch = BYTES_ON(joined);
	struct client_packet c;
	struct dhcp_message m;
	struct slice found;

	memset(value, 'x', sizeof(value));
	dhcp_option_append(&out, 12, slice_make(value, sizeof(value)));
	assert_int_equal(out.len, 2 + 255 + 2 + 45);
	client_init(&c, DHCP_DISCOVER);
	client_add(&c, 12, slice_make(value, sizeof(value)));
	assert_int_equal(dhcp_message_parse(client_wire(&c), &m), 0);
	assert_int_equal(dhcp_message_option(&m, 12, &scratch, &found), 0);
	assert_int_equal(found.len, 300);
}

static void encapsulated_options_end_where_they_break(void **state)
{
	struct slice rest = SLICE_LITERAL("\6\1\10\0\7\2ab\377\1\1\1"), value;
	struct slice broken = SLICE_LITERAL("\6\1\10\7\3a");
	uint8_t code;

	assert_true(dhcp_encapsulated_next(&rest, &code, &value));
	assert_int_equal(code, 6);
	assert_true(dhcp_encapsulated_next(&rest, &code, &value));
	assert_int_equal(code, 7);
	assert_slice_equal(value, "ab");
	assert_false(dhcp_encapsulated_next(&rest, &code, &value));
	assert_true(dhcp_encapsulated_next(&broken, &code, &value));
	assert_false(dhcp_encapsulated_next(&broken, &code, &value));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_is_built_parses_to_the_same),
		cmocka_unit_test(broken_packets_are_told_apart),
		cmocka_unit_test(options_hide_in_file_and_sname),
		cmocka_unit_test(a_nested_overload_is_ignored_and_a_broken_field_is_not),
		cmocka_unit_test(parts_of_an_option_are_joined),
		cmocka_unit_test(a_long_option_goes_out_in_parts),
		cmocka_unit_test(encapsulated_options_end_where_they_break),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

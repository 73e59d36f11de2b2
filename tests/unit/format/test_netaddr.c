/* SPDX-License-Identifier: MulanPSL-2.0 */
#include "tests/support/test.h"

#include "lib/format/netaddr.h"

static void a_mac_reads_in_every_form_clients_send(void **state)
{
	struct mac a, b;
	char text[MAC_TEXT_MAX];

	assert_int_equal(mac_parse(SLICE_LITERAL("52:54:00:AB:cd:0f"), &a), 0);
	assert_int_equal(mac_parse(SLICE_LITERAL("52-54-00-ab-CD-0F"), &b), 0);
	assert_true(mac_equal(a, b));
	assert_string_equal(mac_format(a, '-', text), "52-54-00-ab-cd-0f");
	for (const char *const *bad =
	             (const char *const[]){ "", "52:54:00:ab:cd", "52:54:00-ab:cd:0f",
	                                    "52:54:00:ab:cd:0g", "525400abcd0f", NULL };
	     *bad; bad++)
		assert_int_equal(mac_parse(slice_from_text(*bad), &a), NETADDR_BAD);
}

static void an_address_is_four_plain_numbers(void **state)
{
	uint32_t address;
	char text[IPV4_TEXT_MAX];

	assert_int_equal(ipv4_parse(SLICE_LITERAL("172.168.131.2"), &address), 0);
	assert_int_equal(address, UINT32_C(0xaca88302));
	assert_string_equal(ipv4_format(address, text), "172.168.131.2");
	for (const char *const *bad =
	             (const char *const[]){ "", "1.2.3", "1.2.3.4.5", "1.2.3.256", "1.2.3.04",
	                                    "1.2.3.4.", ".1.2.3", "a.b.c.d", NULL };
	     *bad; bad++)
		assert_int_equal(ipv4_parse(slice_from_text(*bad), &address), NETADDR_BAD);
}

static void a_net_contains_its_addresses(void **state)
{
	struct ipv4_net net;

	assert_int_equal(ipv4_net_parse(SLICE_LITERAL("10.1.2.3/24"), &net), 0);
	assert_true(ipv4_net_contains(net, UINT32_C(0x0a0102ff)));
	assert_false(ipv4_net_contains(net, UINT32_C(0x0a010300)));
	assert_int_equal(ipv4_net_parse(SLICE_LITERAL("0.0.0.0/0"), &net), 0);
	assert_true(ipv4_net_contains(net, UINT32_MAX));
	assert_int_equal(ipv4_net_parse(SLICE_LITERAL("10.0.0.0/33"), &net), NETADDR_BAD);
	assert_int_equal(ipv4_net_parse(SLICE_LITERAL("10.0.0.0"), &net), NETADDR_BAD);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_mac_reads_in_every_form_clients_send),
		cmocka_unit_test(an_address_is_four_plain_numbers),
		cmocka_unit_test(a_net_contains_its_addresses),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

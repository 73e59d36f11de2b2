/* SPDX-License-Identifier: MulanPSL-2.0 */
#include "tests/support/test.h"

#include "initramfs/handover_text.h"
#include "lib/base/macro.h"

static void servers_and_domain_come_from_the_lease(void **state)
{
	struct buffer out = BUFFER_NULL;

	assert_int_equal(handover_resolv_text(SLICE_LITERAL("# lease\nADDRESS=10.0.0.5\n"
	                                                    "DNS=10.0.0.1 fe80::1\n"
	                                                    "DOMAINNAME=lab.example.org\n"),
	                                      &out),
	                 2);
	assert_slice_equal(buffer_slice(&out), "nameserver 10.0.0.1\nnameserver fe80::1\n"
	                                       "search lab.example.org\n");
	buffer_deinit(&out);
}

static void what_is_no_address_or_name_is_left_out(void **state)
{
	struct buffer out = BUFFER_NULL;

	assert_int_equal(handover_resolv_text(SLICE_LITERAL("DNS=$(x) 10.0.0.1;y  \n"
	                                                    "DOMAINNAME=a b\nDOMAINNAME=\nDNS"),
	                                      &out),
	                 0);
	assert_int_equal(out.len, 0);
	buffer_deinit(&out);
}

static void no_more_servers_than_a_resolver_asks(void **state)
{
	struct buffer out = BUFFER_NULL;

	assert_int_equal(
		handover_resolv_text(SLICE_LITERAL("DNS=1.1.1.1 1.1.1.2 1.1.1.3 1.1.1.4"), &out),
		3);
	buffer_deinit(&out);
}

static void a_network_is_renewed_as_the_same_client(void **state)
{
	struct handover_link link = { .name = "ens3", .mac = "52:54:00:00:00:01" };
	struct buffer out = BUFFER_NULL;

	handover_network_text(&out, &link);
	assert_slice_equal(buffer_slice(&out),
	                   "# Left by the initramfs of cci.\n[Match]\n"
	                   "MACAddress=52:54:00:00:00:01\nName=ens3\n\n[Network]\n"
	                   "KeepConfiguration=yes\nDHCP=ipv4\n\n[DHCPv4]\nClientIdentifier=mac\n");
	buffer_deinit(&out);
	link.address = "10.0.0.5/24";
	handover_network_text(&out, &link);
	assert_slice_equal(buffer_slice(&out),
	                   "# Left by the initramfs of cci.\n[Match]\n"
	                   "MACAddress=52:54:00:00:00:01\nName=ens3\n\n[Network]\n"
	                   "KeepConfiguration=yes\nAddress=10.0.0.5/24\n");
	buffer_deinit(&out);
	handover_link_text(&out, &link);
	assert_slice_equal(buffer_slice(&out),
	                   "# Left by the initramfs of cci.\n[Match]\n"
	                   "MACAddress=52:54:00:00:00:01\nOriginalName=ens3\n\n[Link]\n"
	                   "NamePolicy=\nName=ens3\n");
	buffer_deinit(&out);
}

static void a_lease_names_a_file_server(void **state)
{
	static const struct {
		const char *lease, *server;
	} leases[] = {
		{ "ADDRESS=10.0.0.5\nSERVER_ADDRESS=10.0.0.1\nNEXT_SERVER=10.0.0.2\n", "10.0.0.2" },
		{ "NEXT_SERVER=0.0.0.0\nSERVER_ADDRESS=10.0.0.1\n", "10.0.0.1" },
		{ "SERVER_ADDRESS=10.0.0.1", "10.0.0.1" },
		{ "NEXT_SERVER=$(x)\nADDRESS=10.0.0.5\n", "" },
		{ "", "" },
	};

	for (size_t i = 0; i < ARRAY_SIZE(leases); i++) {
		char server[32] = "";
		bool found = handover_lease_server(slice_from_text(leases[i].lease), server,
		                                   sizeof(server));

		assert_int_equal(found, leases[i].server[0] != '\0');
		assert_string_equal(server, leases[i].server);
	}
}

static void a_machine_has_one_id_for_ever_and_another_has_another(void **state)
{
	char one[HANDOVER_MACHINE_ID_SIZE], two[HANDOVER_MACHINE_ID_SIZE];

	/* a later version that answers something else gives every machine of a lab a new name */
	handover_machine_id(SLICE_LITERAL("52:54:00:00:00:01"), one);
	assert_string_equal(one, "4b8ab51e3ecc4e9ebc4364463e225a0c\n");
	handover_machine_id(SLICE_LITERAL("52:54:00:00:00:02"), two);
	assert_int_equal(strlen(two), 33);
	assert_string_not_equal(one, two);
	assert_int_equal(one[12], '4');
	assert_non_null(strchr("89ab", one[16]));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(servers_and_domain_come_from_the_lease),
		cmocka_unit_test(what_is_no_address_or_name_is_left_out),
		cmocka_unit_test(no_more_servers_than_a_resolver_asks),
		cmocka_unit_test(a_network_is_renewed_as_the_same_client),
		cmocka_unit_test(a_lease_names_a_file_server),
		cmocka_unit_test(a_machine_has_one_id_for_ever_and_another_has_another),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

/* SPDX-License-Identifier: MulanPSL-2.0 */
#include "tests/support/test.h"

#include "server/core/dhcp_config.h"

static const struct dhcp_reservation reservations[] = {
	{ .mac = { { 2, 0, 0, 0, 0, 1 } }, .address = UINT32_C(0x0a000009) },
	{ .mac = { { 2, 0, 0, 0, 0, 2 } }, .address = UINT32_C(0x0a010009) },
};

static const struct dhcp_config config = {
	.subnets = { { .net = { UINT32_C(0x0a000000), 24 } },
	             { .net = { UINT32_C(0x0a010000), 16 } } },
	.n_subnets = 2,
	.reservations = reservations,
	.n_reservations = 2,
};

static void an_address_belongs_to_one_subnet_or_none(void **state)
{
	assert_ptr_equal(dhcp_config_subnet(&config, UINT32_C(0x0a0000ff)), &config.subnets[0]);
	assert_ptr_equal(dhcp_config_subnet(&config, UINT32_C(0x0a01ff01)), &config.subnets[1]);
	assert_null(dhcp_config_subnet(&config, UINT32_C(0x0a020001)));
	assert_null(dhcp_config_subnet(&config, 0));
}

static void a_reservation_counts_in_its_own_subnet_only(void **state)
{
	const struct dhcp_subnet *first = &config.subnets[0], *second = &config.subnets[1];
	struct mac unknown = { { 2, 0, 0, 0, 0, 3 } };

	assert_int_equal(dhcp_config_reservation(&config, first, reservations[0].mac),
	                 reservations[0].address);
	assert_int_equal(dhcp_config_reservation(&config, second, reservations[0].mac), 0);
	assert_int_equal(dhcp_config_reservation(&config, second, reservations[1].mac),
	                 reservations[1].address);
	assert_int_equal(dhcp_config_reservation(&config, first, unknown), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_address_belongs_to_one_subnet_or_none),
		cmocka_unit_test(a_reservation_counts_in_its_own_subnet_only),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

/* SPDX-License-Identifier: MulanPSL-2.0 */
#include "tests/support/test.h"

#include "server/core/dhcp_pool.h"

#define NET   0x0a000000
#define SEC   USEC_PER_SEC
#define START (1000 * SEC)

static const uint64_t seed[2] = { 1, 2 };

static const struct dhcp_reservation reservations[] = {
	{ .mac = { { 2, 0, 0, 0, 0, 0x77 } }, .address = NET + 14 },
	{ .mac = { { 2, 0, 0, 0, 0, 0x78 } }, .address = NET + 200 },
};

/* 10.0.0.10 - 10.0.0.15; .12 is the router, .14 reserved: .10 .11 .13 .15 are left. */
static struct dhcp_config small(void)
{
	return (struct dhcp_config){ .subnets = { { .net = { NET, 24 },
		                                    .first = NET + 10,
		                                    .last = NET + 15,
		                                    .router = NET + 12,
		                                    .lease_sec = 60 } },
		                     .n_subnets = 1,
		                     .reservations = reservations,
		                     .n_reservations = ARRAY_SIZE(reservations) };
}

static struct lease_key client(uint8_t number)
{
	return lease_key_from_mac((struct mac){ { 2, 0, 0, 0, 0, number } });
}

static void every_client_gets_an_address_of_its_own_until_none_is_left(void **state)
{
	CLEANUP(dhcp_pool_freep) struct dhcp_pool *pool = NULL;
	struct dhcp_config config = small();
	bool seen[16] = { false };

	assert_int_equal(dhcp_pool_new(&config, seed, &pool), 0);
	for (uint8_t i = 1; i <= 4; i++) {
		struct lease_key key = client(i);
		uint32_t a = dhcp_pool_choose(pool, &config.subnets[0], &key, START);

		assert_in_range(a, NET + 10, NET + 15);
		assert_true(a != NET + 12 && a != NET + 14);
		assert_false(seen[a - NET]);
		seen[a - NET] = true;
		assert_false(dhcp_pool_offer(pool, a, &key, 7, START + DHCP_OFFER_HOLD));
		assert_int_equal(dhcp_pool_offered(pool, &key, START), a);
	}
	assert_int_equal(
		dhcp_pool_choose(pool, &config.subnets[0], &(struct lease_key){ 0 }, START), 0);
	/* asked again in the same hold, and after it */
	assert_int_equal(
		dhcp_pool_choose(pool, &config.subnets[0], &(struct lease_key){ 0 }, START + 1), 0);
	assert_int_not_equal(dhcp_pool_choose(pool, &config.subnets[0], &(struct lease_key){ 0 },
	                                      START + DHCP_OFFER_HOLD),
	                     0);
}

static void an_offer_is_held_for_its_client_only(void **state)
{
	CLEANUP(dhcp_pool_freep) struct dhcp_pool *pool = NULL;
	struct dhcp_config config = small();
	struct lease_key a = client(1), b = client(2);
	usec_t end = START + 30 * SEC;

	assert_int_equal(dhcp_pool_new(&config, seed, &pool), 0);
	assert_false(dhcp_pool_offer(pool, NET + 10, &a, 7, end));
	assert_int_equal(dhcp_pool_look(pool, NET + 10, &a, 0, START), DHCP_HOLD_MINE);
	assert_int_equal(dhcp_pool_look(pool, NET + 10, &b, 0, START), DHCP_HOLD_OTHER);
	assert_int_equal(dhcp_pool_look(pool, NET + 10, &b, 0, end - 1), DHCP_HOLD_OTHER);
	assert_int_equal(dhcp_pool_look(pool, NET + 10, &b, 0, end), DHCP_HOLD_FREE);
	assert_int_equal(dhcp_pool_offered(pool, &a, end), 0);
	/* the same question again is a repetition, another round is not */
	assert_true(dhcp_pool_offer(pool, NET + 10, &a, 7, end));
	assert_false(dhcp_pool_offer(pool, NET + 10, &a, 8, end));
	/* a client holds one offer at a time */
	assert_false(dhcp_pool_offer(pool, NET + 11, &a, 8, end));
	assert_int_equal(dhcp_pool_look(pool, NET + 10, &b, 0, START), DHCP_HOLD_FREE);
	assert_int_equal(dhcp_pool_offered(pool, &a, START), NET + 11);
	dhcp_pool_withdraw(pool, &b);
	assert_int_equal(dhcp_pool_offered(pool, &a, START), NET + 11);
	dhcp_pool_withdraw(pool, &a);
	assert_int_equal(dhcp_pool_offered(pool, &a, START), 0);
	assert_int_equal(dhcp_pool_look(pool, NET + 11, &b, 0, START), DHCP_HOLD_FREE);
}

static void a_lease_lasts_through_offers(void **state)
{
	CLEANUP(dhcp_pool_freep) struct dhcp_pool *pool = NULL;
	struct dhcp_config config = small();
	struct lease_key a = client(1), b = client(2);

	assert_int_equal(dhcp_pool_new(&config, seed, &pool), 0);
	dhcp_pool_take(pool, NET + 10, &a, START + 3600 * SEC);
	assert_false(dhcp_pool_offer(pool, NET + 10, &a, 1, START + DHCP_OFFER_HOLD));
	assert_true(dhcp_pool_offer(pool, NET + 10, &a, 1, START + DHCP_OFFER_HOLD));
	assert_int_equal(dhcp_pool_look(pool, NET + 10, &b, 0, START + 3599 * SEC),
	                 DHCP_HOLD_OTHER);
	assert_int_equal(dhcp_pool_look(pool, NET + 10, &b, 0, START + 3600 * SEC), DHCP_HOLD_FREE);
	/* one about to end is held over the offer */
	dhcp_pool_take(pool, NET + 11, &b, START + SEC);
	assert_false(dhcp_pool_offer(pool, NET + 11, &b, 1, START + DHCP_OFFER_HOLD));
	assert_int_equal(dhcp_pool_look(pool, NET + 11, &a, 0, START + 2 * SEC), DHCP_HOLD_OTHER);
	dhcp_pool_release(pool, NET + 10);
	assert_int_equal(dhcp_pool_look(pool, NET + 10, &b, 0, START), DHCP_HOLD_FREE);
}

static void taking_an_address_frees_the_offer_of_another(void **state)
{
	CLEANUP(dhcp_pool_freep) struct dhcp_pool *pool = NULL;
	struct dhcp_config config = small();
	struct lease_key a = client(1), b = client(2);

	assert_int_equal(dhcp_pool_new(&config, seed, &pool), 0);
	assert_false(dhcp_pool_offer(pool, NET + 10, &a, 1, START + DHCP_OFFER_HOLD));
	dhcp_pool_take(pool, NET + 11, &a, START + 3600 * SEC);
	assert_int_equal(dhcp_pool_look(pool, NET + 10, &b, 0, START), DHCP_HOLD_FREE);
	assert_int_equal(dhcp_pool_look(pool, NET + 11, &b, 0, START), DHCP_HOLD_OTHER);
	assert_int_equal(dhcp_pool_offered(pool, &a, START), 0);
}

static void parked_excluded_and_foreign_addresses_are_told_apart(void **state)
{
	CLEANUP(dhcp_pool_freep) struct dhcp_pool *pool = NULL;
	struct dhcp_config config = small();
	struct lease_key a = client(1), owner = client(0x77);

	assert_int_equal(dhcp_pool_new(&config, seed, &pool), 0);
	dhcp_pool_park(pool, NET + 10, START + DHCP_PARK_TIME);
	assert_int_equal(dhcp_pool_look(pool, NET + 10, &a, 0, START), DHCP_HOLD_PARKED);
	assert_int_equal(dhcp_pool_look(pool, NET + 10, &a, 0, START + DHCP_PARK_TIME),
	                 DHCP_HOLD_FREE);
	assert_int_equal(dhcp_pool_look(pool, NET + 12, &a, 0, START), DHCP_HOLD_OTHER);
	assert_int_equal(dhcp_pool_look(pool, NET + 14, &a, 0, START), DHCP_HOLD_RESERVED);
	assert_int_equal(dhcp_pool_look(pool, NET + 14, &owner, NET + 14, START), DHCP_HOLD_FREE);
	dhcp_pool_take(pool, NET + 14, &a, START + 60 * SEC);
	assert_int_equal(dhcp_pool_look(pool, NET + 14, &a, 0, START), DHCP_HOLD_RESERVED);
	assert_int_equal(dhcp_pool_look(pool, NET + 14, &owner, NET + 14, START), DHCP_HOLD_OTHER);
	assert_int_equal(dhcp_pool_look(pool, NET + 200, &a, 0, START), DHCP_HOLD_OUTSIDE);
	assert_int_equal(dhcp_pool_look(pool, NET + 9, &a, 0, START), DHCP_HOLD_OUTSIDE);
	assert_int_equal(dhcp_pool_look(pool, NET + 16, &a, 0, START), DHCP_HOLD_OUTSIDE);
	dhcp_pool_exclude(pool, NET + 11);
	assert_int_equal(dhcp_pool_look(pool, NET + 11, &a, 0, START), DHCP_HOLD_OTHER);
	dhcp_pool_exclude(pool, NET + 200); /* nothing of ours: harmless */
	assert_false(dhcp_pool_offer(pool, NET + 200, &a, 1, START + SEC));
	assert_false(dhcp_pool_offer(pool, NET + 200, &a, 1, START + SEC));
}

static void the_address_free_for_the_longest_time_goes_first(void **state)
{
	CLEANUP(dhcp_pool_freep) struct dhcp_pool *pool = NULL;
	struct dhcp_config config = small();
	struct lease_key newcomer = client(9);
	static const uint8_t last[] = { 10, 11, 13, 15 };

	assert_int_equal(dhcp_pool_new(&config, seed, &pool), 0);
	for (uint8_t i = 0; i < 4; i++) {
		struct lease_key key = client((uint8_t)(i + 1));

		dhcp_pool_take(pool, NET + last[i], &key, START + (last[i] == 13 ? 5 : 50) * SEC);
	}
	assert_int_equal(dhcp_pool_choose(pool, &config.subnets[0], &newcomer, START + 100 * SEC),
	                 NET + 13);
}

/* A storm: as many clients as addresses, each offered and taken, with no address given twice. */
static void a_full_range_has_no_address_twice(void **state)
{
	CLEANUP(dhcp_pool_freep) struct dhcp_pool *pool = NULL;
	struct dhcp_config config = { .subnets = { { .net = { NET, 16 },
		                                     .first = NET + 1,
		                                     .last = NET + 2000,
		                                     .lease_sec = 60 } },
		                      .n_subnets = 1 };
	static bool seen[2001];

	assert_int_equal(dhcp_pool_new(&config, seed, &pool), 0);
	for (unsigned i = 0; i < 2000; i++) {
		struct lease_key key = lease_key_from_mac(
			(struct mac){ { 2, 0, 0, 0, (uint8_t)(i >> 8), (uint8_t)i } });
		uint32_t a = dhcp_pool_choose(pool, &config.subnets[0], &key, START);

		assert_in_range(a, NET + 1, NET + 2000);
		assert_false(seen[a - NET]);
		seen[a - NET] = true;
		assert_false(dhcp_pool_offer(pool, a, &key, i, START + SEC));
		dhcp_pool_take(pool, a, &key, START + 60 * SEC);
	}
	assert_int_equal(
		dhcp_pool_choose(pool, &config.subnets[0], &(struct lease_key){ 0 }, START), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_client_gets_an_address_of_its_own_until_none_is_left),
		cmocka_unit_test(an_offer_is_held_for_its_client_only),
		cmocka_unit_test(a_lease_lasts_through_offers),
		cmocka_unit_test(taking_an_address_frees_the_offer_of_another),
		cmocka_unit_test(parked_excluded_and_foreign_addresses_are_told_apart),
		cmocka_unit_test(the_address_free_for_the_longest_time_goes_first),
		cmocka_unit_test(a_full_range_has_no_address_twice),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

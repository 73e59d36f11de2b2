/* SPDX-License-Identifier: MulanPSL-2.0 */
#include "tests/support/test.h"

#include "agent/backoff.h"

static void waits_grow_to_the_cap_with_jitter(void **state)
{
	for (uint64_t seed = 0; seed < 50; seed++) {
		struct backoff b = { .base = 100, .cap = 3000 };
		struct rng rng;
		usec_t ceiling = 100;

		rng_init(&rng, seed);
		for (unsigned i = 0; i < 100; i++) {
			assert_in_range(backoff_next(&b, &rng), ceiling / 4, ceiling);
			ceiling = usec_min(ceiling * 2, 3000);
		}
		backoff_reset(&b);
		assert_in_range(backoff_next(&b, &rng), 25, 100);
	}
}

static void waits_differ_from_machine_to_machine(void **state)
{
	unsigned n_same = 0;

	for (uint64_t seed = 0; seed < 50; seed++) {
		struct backoff a = { .base = 1000000, .cap = 30000000 }, b = a;
		struct rng one, two;

		rng_init(&one, seed);
		rng_init(&two, seed + 1000);
		n_same += backoff_next(&a, &one) == backoff_next(&b, &two);
	}
	assert_true(n_same < 3);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(waits_grow_to_the_cap_with_jitter),
		cmocka_unit_test(waits_differ_from_machine_to_machine),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

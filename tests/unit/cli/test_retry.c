/* SPDX-License-Identifier: MulanPSL-2.0 */
#include "tests/support/test.h"

#include "cli/retry.h"

static void waits_grow_to_a_limit_and_begin_anew(void **state)
{
	struct rng rng;
	struct retry retry;
	usec_t now = 1000, due = 0, before = 0;

	rng_init(&rng, 1);
	retry_init(&retry, USEC_INFINITY, now);
	for (int i = 0; i < 10; i++) {
		due = retry_failed(&retry, &rng, now);
		assert_true(due - now >= RETRY_FIRST && due - now <= RETRY_MAX + RETRY_MAX / 4);
		assert_true(i >= 4 || due - now > before);
		before = due - now;
		now = due;
	}
	assert_true(before >= RETRY_MAX);
	retry_alive(&retry, now);
	due = retry_failed(&retry, &rng, now);
	assert_true(due - now < 2 * RETRY_FIRST);
}

static void patience_ends_on_time(void **state)
{
	struct rng rng;
	struct retry retry;
	usec_t now = 0, due;

	rng_init(&rng, 1);
	retry_init(&retry, 3 * USEC_PER_SEC, now);
	while ((due = retry_failed(&retry, &rng, now)) != USEC_INFINITY) {
		assert_true(due > now);
		now = due;
	}
	assert_int_equal(now, 3 * USEC_PER_SEC);
	retry_init(&retry, 0, now);
	assert_true(retry_failed(&retry, &rng, now) == USEC_INFINITY);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(waits_grow_to_a_limit_and_begin_anew),
		cmocka_unit_test(patience_ends_on_time),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

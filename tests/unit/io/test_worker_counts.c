/* SPDX-License-Identifier: MulanPSL-2.0 */
#include "tests/support/test.h"

#include "lib/base/macro.h"
#include "server/io/worker_counts.h"

/* Every number another one, the last ones included. */
static struct worker_totals example(void)
{
	struct worker_totals totals = { .upload = { .n_sockets = 7, .n_broken = 6 } };

	for (int i = 0; i < _FILE_OUTCOME_MAX; i++)
		totals.names.n[i] = 100 + (uint64_t)i;
	for (int i = 0; i < _URL_PATH_OUTCOME_MAX; i++) {
		totals.names.n_bad_path[i] = 200 + (uint64_t)i;
		totals.upload_bad_path[i] = 300 + (uint64_t)i;
	}
	totals.files = (struct http_server_counters){ 1, 2, 3, 4, 5, 6 };
	return totals;
}

static void counts_of_two_workers_add_up(void **state)
{
	struct worker_totals one = example(), sum = example();
	struct worker_counts counts;

	worker_counts_pack(&one, &counts);
	assert_true(counts.n > 0 && counts.n <= WORKER_COUNTS_MAX);
	worker_counts_add(&counts, &sum);
	assert_int_equal(sum.names.n[FILE_NO_ACCESS], 2 * one.names.n[FILE_NO_ACCESS]);
	assert_int_equal(sum.names.n_bad_path[URL_PATH_NUL],
	                 2 * one.names.n_bad_path[URL_PATH_NUL]);
	assert_int_equal(sum.upload_bad_path[URL_PATH_TOO_LONG],
	                 2 * one.upload_bad_path[URL_PATH_TOO_LONG]);
	assert_int_equal(sum.files.n_requests, 6);
	assert_int_equal(sum.files.n_sockets, 12);
	assert_int_equal(sum.upload.n_broken, 12);
	assert_int_equal(sum.upload.n_sockets, 14);
}

static void numbers_that_are_missing_add_nothing(void **state)
{
	const struct worker_counts none = { .n = 0 }, two = { .n = 2, .value = { 1, 1 } };
	struct worker_totals totals = example();

	worker_counts_add(&none, &totals);
	worker_counts_add(&two, &totals);
	assert_int_equal(totals.names.n[0], 101);
	assert_int_equal(totals.names.n[1], 102);
	assert_int_equal(totals.names.n[2], 102);
	assert_int_equal(totals.upload.n_sockets, 7);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(counts_of_two_workers_add_up),
		cmocka_unit_test(numbers_that_are_missing_add_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

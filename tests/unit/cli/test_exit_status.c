/* SPDX-License-Identifier: MulanPSL-2.0 */
#include "tests/support/test.h"

#include "cli/exit_status.h"
#include "lib/base/macro.h"

static const struct {
	const char *job;
	bool ended;
	enum cci_exit status;
} cases[] = {
	{ "{\"state\":\"finished\",\"verdict\":\"pass\"}", true, CCI_EXIT_PASS },
	{ "{\"state\":\"finished\",\"verdict\":\"skip\"}", true, CCI_EXIT_PASS },
	{ "{\"state\":\"finished\",\"verdict\":\"fail\"}", true, CCI_EXIT_FAIL },
	{ "{\"state\":\"finished\",\"verdict\":\"fail\",\"cause\":\"crash\"}", true,
	  CCI_EXIT_FAIL },
	{ "{\"state\":\"finished\",\"verdict\":\"pass\",\"upload\":\"incomplete\"}", true,
	  CCI_EXIT_PASS },
	{ "{\"state\":\"finished\",\"verdict\":\"odd\"}", true, CCI_EXIT_INFRA },
	{ "{\"state\":\"finished\",\"verdict\":null}", true, CCI_EXIT_INFRA },
	{ "{\"state\":\"cancelled\"}", true, CCI_EXIT_CANCELLED },
	{ "{\"state\":\"timeout\"}", true, CCI_EXIT_TIMEOUT },
	{ "{\"state\":\"error\",\"cause\":\"infra\"}", true, CCI_EXIT_INFRA },
	{ "{\"state\":\"expired\"}", true, CCI_EXIT_INFRA },
	{ "{\"state\":\"skipped\"}", true, CCI_EXIT_INFRA },
	{ "{\"state\":\"waiting\"}", false, CCI_EXIT_INFRA },
	{ "{\"state\":\"queued\"}", false, CCI_EXIT_INFRA },
	{ "{\"state\":\"active\",\"verdict\":\"pass\"}", false, CCI_EXIT_INFRA },
	{ "{\"state\":\"later invention\"}", false, CCI_EXIT_INFRA },
	{ "{\"state\":7}", false, CCI_EXIT_INFRA },
	{ "[]", false, CCI_EXIT_INFRA },
};

static void each_end_of_a_job_has_its_status(void **state)
{
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		CLEANUP(json_decrefp) json_t *job = json_loads(cases[i].job, 0, NULL);

		assert_non_null(job);
		assert_int_equal(exit_status_job_ended(job), cases[i].ended);
		assert_int_equal(exit_status_of_job(job), cases[i].status);
	}
}

static void refusals_of_the_server_have_theirs(void **state)
{
	assert_int_equal(exit_status_of_http(201), CCI_EXIT_PASS);
	assert_int_equal(exit_status_of_http(302), CCI_EXIT_INFRA);
	assert_int_equal(exit_status_of_http(404), CCI_EXIT_USAGE);
	assert_int_equal(exit_status_of_http(409), CCI_EXIT_USAGE);
	assert_int_equal(exit_status_of_http(500), CCI_EXIT_INFRA);
	assert_int_equal(exit_status_of_http(507), CCI_EXIT_INFRA);
	assert_int_equal(exit_status_of_http(503), CCI_EXIT_UNREACHABLE);
	assert_int_equal(exit_status_of_http(0), CCI_EXIT_INFRA);
}

static void of_several_the_highest_stands(void **state)
{
	assert_int_equal(exit_status_highest(CCI_EXIT_FAIL, CCI_EXIT_TIMEOUT), CCI_EXIT_TIMEOUT);
	assert_int_equal(exit_status_highest(CCI_EXIT_CANCELLED, CCI_EXIT_PASS),
	                 CCI_EXIT_CANCELLED);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_end_of_a_job_has_its_status),
		cmocka_unit_test(refusals_of_the_server_have_theirs),
		cmocka_unit_test(of_several_the_highest_stands),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

/* SPDX-License-Identifier: MulanPSL-2.0 */
/* Who is to blame. */
#include "tests/support/test.h"

#include "lib/base/macro.h"
#include "server/core/blame.h"

#define CHECK      HOST_FLAG_NEEDS_CHECK
#define QUARANTINE HOST_FLAG_QUARANTINE

static const struct {
	const char *what;
	struct blame_facts facts;
	struct blame want; /* reason: only whether there is one */
} cases[] = {
	{ "a pass says nothing",
	  { .ended = ATTEMPT_DONE,
	    .verdict = JOB_PASS,
	    .checks_passed = 1,
	    .has_health_job = true },
	  { .checks_passed = 1 } },
	{ "a failed test says nothing",
	  { .ended = ATTEMPT_DONE, .verdict = JOB_FAIL, .has_health_job = true },
	  { .set = 0 } },
	{ "an offer nobody took says nothing",
	  { .ended = ATTEMPT_LOST_OFFER, .has_health_job = true, .n_bad_jobs = 9 },
	  { .set = 0 } },
	{ "nor does a cancelled job",
	  { .ended = ATTEMPT_CANCELLED, .has_health_job = true },
	  { .set = 0 } },
	{ "nor a job that ran too long",
	  { .ended = ATTEMPT_TIMEOUT, .has_health_job = true },
	  { .set = 0 } },
	{ "infrastructure failed: a check is due",
	  { .ended = ATTEMPT_INFRA, .has_health_job = true, .checks_passed = 1 },
	  { .set = CHECK, .wants_check = true, .reason = "" } },
	{ "nothing can check it: nothing is due", { .ended = ATTEMPT_INFRA }, { .set = 0 } },
	{ "three jobs that passed elsewhere: quarantine",
	  { .ended = ATTEMPT_INFRA, .n_bad_jobs = BLAME_JOBS, .has_health_job = true },
	  { .set = QUARANTINE, .reason = "" } },
	{ "seen when one of them passes elsewhere",
	  { .ended = ATTEMPT_DONE, .verdict = JOB_PASS, .n_bad_jobs = BLAME_JOBS },
	  { .set = QUARANTINE, .reason = "" } },
	{ "a poison job clears",
	  { .ended = ATTEMPT_INFRA, .is_poison = true, .flags = CHECK, .has_health_job = true },
	  { .clear = CHECK } },
	{ "a health job passes",
	  { .ended = ATTEMPT_DONE, .verdict = JOB_PASS, .kind = JOB_KIND_HEALTH, .flags = CHECK },
	  { .clear = CHECK, .checks_passed = 1 } },
	{ "a health job fails",
	  { .ended = ATTEMPT_DONE, .verdict = JOB_FAIL, .kind = JOB_KIND_HEALTH, .flags = CHECK },
	  { .clear = CHECK, .set = QUARANTINE, .reason = "" } },
	{ "a health job runs too long",
	  { .ended = ATTEMPT_TIMEOUT, .kind = JOB_KIND_HEALTH },
	  { .clear = CHECK, .set = QUARANTINE, .reason = "" } },
	{ "a health job is cancelled",
	  { .ended = ATTEMPT_CANCELLED, .kind = JOB_KIND_HEALTH, .flags = CHECK },
	  { .set = 0 } },
	{ "in quarantine, the first pass wants another",
	  { .ended = ATTEMPT_DONE,
	    .verdict = JOB_PASS,
	    .kind = JOB_KIND_HEALTH,
	    .flags = QUARANTINE,
	    .has_health_job = true },
	  { .clear = CHECK, .checks_passed = 1, .wants_check = true } },
	{ "the second ends it",
	  { .ended = ATTEMPT_DONE,
	    .verdict = JOB_PASS,
	    .kind = JOB_KIND_HEALTH,
	    .flags = QUARANTINE,
	    .checks_passed = 1 },
	  { .clear = CHECK | QUARANTINE, .checks_passed = 2 } },
};

static void blame_follows_its_rules(void **state)
{
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct blame got = blame_decide(&cases[i].facts);
		const struct blame *want = &cases[i].want;

		if (got.set != want->set || got.clear != want->clear ||
		    got.checks_passed != want->checks_passed ||
		    got.wants_check != want->wants_check || !got.reason != !want->reason)
			fail_msg("%s: set %u clear %u passed %u check %d", cases[i].what, got.set,
			         got.clear, got.checks_passed, got.wants_check);
	}
}

/* S8 */
static void flags_bar_by_kind(void **state)
{
	assert_false(host_flags_bar(HOST_FLAG_FILE | HOST_FLAG_DISCOVERED, JOB_KIND_USER));
	assert_true(host_flags_bar(CHECK, JOB_KIND_USER));
	assert_false(host_flags_bar(CHECK | QUARANTINE, JOB_KIND_HEALTH));
	assert_true(host_flags_bar(HOST_FLAG_DRAIN, JOB_KIND_HEALTH));
	assert_true(host_flags_bar(HOST_FLAG_MAINTENANCE, JOB_KIND_HEALTH));
	assert_int_equal(host_flag_from_name(SLICE_LITERAL("needs_check")), CHECK);
	assert_int_equal(host_flag_from_name(SLICE_LITERAL("none")), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(blame_follows_its_rules),
		cmocka_unit_test(flags_bar_by_kind),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

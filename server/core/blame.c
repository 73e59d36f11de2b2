/* SPDX-License-Identifier: MulanPSL-2.0 */
/*
 * The rules of blame, one function a case.
 */
#include "server/core/blame.h"

/* A health job that does not pass condemns, whatever kept it from passing. */
static struct blame judge_check(const struct blame_facts *facts)
{
	struct blame blame = { .clear = HOST_FLAG_NEEDS_CHECK };

	if (facts->ended != ATTEMPT_DONE || facts->verdict != JOB_PASS) {
		blame.set = HOST_FLAG_QUARANTINE;
		blame.reason = "a health job did not pass";
		return blame;
	}
	blame.checks_passed = facts->checks_passed + 1;
	if (!(facts->flags & HOST_FLAG_QUARANTINE))
		return blame;
	if (blame.checks_passed >= BLAME_CHECKS)
		blame.clear |= HOST_FLAG_QUARANTINE;
	else
		blame.wants_check = facts->has_health_job;
	return blame;
}

static struct blame judge_failure(const struct blame_facts *facts)
{
	struct blame blame = { .checks_passed = 0 };

	if (facts->is_poison) {
		blame.clear = HOST_FLAG_NEEDS_CHECK;
	} else if (facts->n_bad_jobs >= BLAME_JOBS) {
		blame.set = HOST_FLAG_QUARANTINE;
		blame.reason = "several jobs failed here that passed elsewhere";
	} else if (facts->has_health_job && !(facts->flags & HOST_FLAG_QUARANTINE)) {
		blame.set = HOST_FLAG_NEEDS_CHECK;
		blame.wants_check = true;
		blame.reason = "infrastructure failed a job here";
	}
	return blame;
}

struct blame blame_decide(const struct blame_facts *facts)
{
	const struct blame nothing = { .checks_passed = facts->checks_passed };

	if (facts->ended == ATTEMPT_LOST_OFFER || facts->ended == ATTEMPT_CANCELLED)
		return nothing;
	if (facts->kind == JOB_KIND_HEALTH)
		return judge_check(facts);
	if (facts->ended == ATTEMPT_INFRA)
		return judge_failure(facts);
	if (facts->n_bad_jobs >= BLAME_JOBS && !(facts->flags & HOST_FLAG_QUARANTINE))
		return judge_failure(facts);
	return nothing;
}

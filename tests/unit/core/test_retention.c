/* SPDX-License-Identifier: MulanPSL-2.0 */
/* Which results go. */
#include "tests/support/test.h"

#include "lib/base/macro.h"
#include "server/core/retention.h"

#define DAY (24 * USEC_PER_HOUR)
#define NOW (1000 * DAY)

static const struct retention_rules none = { .results_age = 0 };
static const struct retention_rules aged = { .results_age = 90 * DAY };
static const struct retention_rules roomy = { .room = 10 };
static const struct retention_rules both = { .results_age = 90 * DAY, .room = 10 };

#define ENDED(age, free) .now = NOW, .finished = NOW - (age), .free_bytes = (free), .all_bytes = 100

static const struct {
	const char *what;
	const struct retention_rules *rules;
	struct retention_facts facts;
	enum retention_cause want;
	bool goes_on;
} cases[] = {
	{ "no rule: for ever", &none, { ENDED(900 * DAY, 0) }, RETENTION_STAY },
	{ "as old as they may become", &aged, { ENDED(90 * DAY, 9) }, RETENTION_AGE },
	{ "a moment younger", &aged, { ENDED(90 * DAY - 1, 0) }, RETENTION_STAY },
	{ "short of room, and young", &roomy, { ENDED(DAY, 9) }, RETENTION_ROOM },
	{ "just enough room", &roomy, { ENDED(900 * DAY, 10) }, RETENTION_STAY },
	{ "age is told first", &both, { ENDED(90 * DAY, 9) }, RETENTION_AGE },
	{ "either suffices", &both, { ENDED(DAY, 9) }, RETENTION_ROOM },
	{ "the job goes on", &both, { ENDED(90 * DAY, 9) }, RETENTION_STAY, .goes_on = true },
	{ "its machine may still write",
	  &both,
	  { ENDED(90 * DAY, 9), .has_open_attempt = true },
	  RETENTION_STAY },
	{ "kept", &both, { ENDED(90 * DAY, 9), .is_kept = true }, RETENTION_STAY },
	{ "on their way",
	  &both,
	  { ENDED(90 * DAY, 9), .results = RESULTS_REMOVING },
	  RETENTION_STAY },
	{ "gone", &both, { ENDED(90 * DAY, 9), .results = RESULTS_REMOVED }, RETENTION_STAY },
	{ "of just now", &both, { ENDED(RETENTION_LEAST_AGE - 1, 0) }, RETENTION_STAY },
	{ "of a while ago", &both, { ENDED(RETENTION_LEAST_AGE, 0) }, RETENTION_ROOM },
	{ "of a time to come: the clock went back",
	  &both,
	  { .now = NOW, .finished = NOW + DAY, .all_bytes = 100 },
	  RETENTION_STAY },
	{ "the largest disk",
	  &roomy,
	  { .now = NOW, .free_bytes = UINT64_MAX / 20, .all_bytes = UINT64_MAX },
	  RETENTION_ROOM },
};

static void results_go_by_age_and_room(void **state)
{
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct retention_facts facts = cases[i].facts;

		facts.has_ended = !cases[i].goes_on;
		if (retention_decide(cases[i].rules, &facts) != cases[i].want)
			fail_msg("%s", cases[i].what);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(results_go_by_age_and_room),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

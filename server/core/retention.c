/* SPDX-License-Identifier: MulanPSL-2.0 */
#include "server/core/retention.h"

#include "lib/base/macro.h"
#include "lib/base/table.h"

static const char *const state_names[_RESULTS_STATE_MAX] = {
	[RESULTS_THERE] = "there",
	[RESULTS_REMOVING] = "removing",
	[RESULTS_REMOVED] = "removed",
};

DEFINE_NAME_TABLE(results_state, state_names);

static const char *const cause_names[_RETENTION_CAUSE_MAX] = {
	[RETENTION_STAY] = "",
	[RETENTION_AGE] = "age",
	[RETENTION_ROOM] = "room",
};

DEFINE_NAME_TABLE(retention_cause, cause_names);

enum retention_cause retention_decide(const struct retention_rules *rules,
                                      const struct retention_facts *facts)
{
	usec_t age = usec_sub(facts->now, facts->finished);

	if (!facts->has_ended || facts->has_open_attempt || facts->is_kept ||
	    facts->results != RESULTS_THERE || age < RETENTION_LEAST_AGE)
		return RETENTION_STAY;
	if (rules->results_age > 0 && age >= rules->results_age)
		return RETENTION_AGE;
	/* what is divided first cannot overflow */
	if (facts->free_bytes < facts->all_bytes / 100 * rules->room)
		return RETENTION_ROOM;
	return RETENTION_STAY;
}

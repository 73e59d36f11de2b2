/* SPDX-License-Identifier: MulanPSL-2.0 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "cli/cci.h"
#include "cli/format_job.h"
#include "cli/list_jobs.h"
#include "cli/verbs.h"
#include "lib/base/macro.h"
#include "lib/base/text.h"
#include "lib/sys/clock.h"

#define LIMIT_DEFAULT 50
#define LIMIT_MAX     10000

static const struct option_spec options[] = {
	{ 'a', "all", NULL, "ended jobs too" },
	{ 0, "state", "STATE", "only jobs in that state" },
	{ 'H', "host", "HOST", "only jobs of that host" },
	{ 'n', "limit", "NUMBER", "at most so many jobs, the newest (default: 50)" },
};

/* States in which a job still has something before it. */
static const char *const open_states[] = { "waiting", "queued", "active" };

static int gather(struct cci *cci, const struct args *args, size_t limit, json_t *jobs)
{
	const char *state = args_value(args, "state"), *host = args_value(args, "host");
	int status = CCI_EXIT_PASS;

	if (state || args_has(args, "all"))
		return list_jobs(cci, state, host, limit, jobs);
	for (size_t i = 0; i < ARRAY_SIZE(open_states) && status == CCI_EXIT_PASS; i++)
		status = list_jobs(cci, open_states[i], host, limit, jobs);
	return status;
}

static int run(struct cci *cci, const struct args *args)
{
	CLEANUP(json_decrefp) json_t *jobs = json_array();
	const char *number = args_value(args, "limit");
	uint64_t limit = LIMIT_DEFAULT;
	struct format_table table;
	int status;

	if (number && (text_parse_u64(slice_from_text(number), LIMIT_MAX, &limit) != 0 || !limit))
		return cci_usage("-n: expected a number from 1 to %d", LIMIT_MAX);
	if (!jobs)
		return cci_trouble("ps", -ENOMEM);
	status = gather(cci, args, limit, jobs);
	if (status != CCI_EXIT_PASS)
		return status;
	list_jobs_sort(jobs, limit);
	if (cci->is_json) {
		CLEANUP(json_decrefp) json_t *out = json_pack("{sO}", "jobs", jobs);

		return cci_print_json(cci, out);
	}
	if (json_array_size(jobs) == 0 && cci->terminal.is_err) {
		cci_say(args_has(args, "all") ? "no jobs" : "no open jobs; -a shows ended ones");
		return CCI_EXIT_PASS;
	}
	format_jobs(&table, jobs, clock_wall());
	return cci_print_table(cci, &table);
}

const struct verb verb_ps = {
	.name = "ps",
	.words = "",
	.summary = "list jobs that wait or run, with what they wait for",
	.details = "TIME is the time since a job was handed in, or, of an ended one, from then to "
		   "its end. HOST is the host it runs on, or where it may run while it waits.\n",
	.options = { options, ARRAY_SIZE(options) },
	.group = VERB_GROUP_JOBS,
	.run = run,
};

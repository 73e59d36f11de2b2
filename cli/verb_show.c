/* SPDX-License-Identifier: MulanPSL-2.0 */
#include <stdlib.h>

#include "cli/cci.h"
#include "cli/format_job.h"
#include "cli/verbs.h"
#include "lib/base/macro.h"
#include "lib/sys/clock.h"

static int run(struct cci *cci, const struct args *args)
{
	CLEANUP(freep) char *path = cci_job_path(args->words[0], "");
	CLEANUP(json_decrefp) json_t *job = NULL;
	struct format_table table;
	int status = cci_get_json(cci, args->words[0], path, &job);

	if (status != CCI_EXIT_PASS)
		return status;
	if (cci->is_json)
		return cci_print_json(cci, job);
	format_job_details(&table, job, clock_wall());
	status = cci_print_table(cci, &table);
	if (status != CCI_EXIT_PASS || json_array_size(json_object_get(job, "attempts")) == 0)
		return status;
	format_attempts(&table, job);
	return cci_print_table(cci, &table);
}

const struct verb verb_show = {
	.name = "show",
	.words = "ID",
	.summary = "show a job: state, verdict, cause, reason of any wait, attempts",
	.details = "Exits 0 when the job could be shown, whatever its verdict: `cci wait ID` is "
		   "for that.\n",
	.group = VERB_GROUP_JOBS,
	.completes = VERB_WORDS_JOB,
	.min_words = 1,
	.max_words = 1,
	.run = run,
};

/* SPDX-License-Identifier: MulanPSL-2.0 */
#include <stdint.h>

#include "cli/verbs.h"
#include "cli/watch.h"
#include "lib/base/macro.h"

static const struct option_spec options[] = { WATCH_OPTIONS };

/* One after the other: who waits for all needs no more than the last one's end. */
static int run(struct cci *cci, const struct args *args)
{
	enum cci_exit highest = CCI_EXIT_PASS;
	struct watch watch;
	int status = watch_read_options(cci, args, &watch);

	if (status != CCI_EXIT_PASS)
		return status;
	watch.has_output = false;
	for (size_t i = 0; i < args->n_words; i++) {
		status = watch_job(cci, args->words[i], &watch);
		if (status == CCI_EXIT_INTERRUPTED || status == CCI_EXIT_UNREACHABLE)
			return status;
		highest = exit_status_highest(highest, (enum cci_exit)status);
		watch.is_known = true;
	}
	return (int)highest;
}

const struct verb verb_wait = {
	.name = "wait",
	.words = "ID...",
	.summary = "wait until all these jobs have ended; exit with the highest status",
	.details = "Says on stderr how each job ended that did not pass. With --json each job's "
		   "document is a line on stdout, in the order given.\n",
	.options = { options, ARRAY_SIZE(options) },
	.group = VERB_GROUP_JOBS,
	.completes = VERB_WORDS_JOB,
	.min_words = 1,
	.max_words = SIZE_MAX,
	.run = run,
};

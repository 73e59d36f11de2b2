/* SPDX-License-Identifier: MulanPSL-2.0 */
#include <stdint.h>

#include "cli/act.h"
#include "cli/verbs.h"

static int run(struct cci *cci, const struct args *args)
{
	static const struct act act = { .rest = "/cancel", .done = "is being cancelled" };

	return act_on_jobs(cci, &act, args->words, args->n_words);
}

const struct verb verb_cancel = {
	.name = "cancel",
	.words = "ID...",
	.summary = "cancel jobs; a running one is stopped on its machine first",
	.details = "Exits 0 when the server took it: `cci wait ID` then ends with status 4. A job "
		   "that has ended cannot be cancelled (status 5).\n",
	.group = VERB_GROUP_JOBS,
	.completes = VERB_WORDS_JOB,
	.min_words = 1,
	.max_words = SIZE_MAX,
	.run = run,
};

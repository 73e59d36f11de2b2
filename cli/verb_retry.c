/* SPDX-License-Identifier: MulanPSL-2.0 */
#include <stdint.h>

#include "cli/act.h"
#include "cli/verbs.h"

static int run(struct cci *cci, const struct args *args)
{
	static const struct act act = { "/retry", "is tried again" };

	return act_on_jobs(cci, &act, args->words, args->n_words);
}

const struct verb verb_retry = {
	.name = "retry",
	.words = "ID...",
	.summary = "try ended jobs once more",
	.details = "Prints nothing but what went wrong; --json shows the server's answer.\n",
	.group = VERB_GROUP_JOBS,
	.completes = VERB_WORDS_JOB,
	.min_words = 1,
	.max_words = SIZE_MAX,
	.run = run,
};

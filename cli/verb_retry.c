/* SPDX-License-Identifier: MulanPSL-2.0 */
#include <stdint.h>

#include "cli/act.h"
#include "cli/verbs.h"

static int run(struct cci *cci, const struct args *args)
{
	static const struct act act = { .rest = "/retry", .done = "", .is_new = true };

	return act_on_jobs(cci, &act, args->words, args->n_words);
}

const struct verb verb_retry = {
	.name = "retry",
	.words = "ID...",
	.summary = "hand in ended jobs once more; print the new ids",
	.details =
		"The ended job stays as it is: what runs is a new one, the same in all but its id.\n",
	.group = VERB_GROUP_JOBS,
	.completes = VERB_WORDS_JOB,
	.min_words = 1,
	.max_words = SIZE_MAX,
	.run = run,
};

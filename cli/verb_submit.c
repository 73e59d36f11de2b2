/* SPDX-License-Identifier: MulanPSL-2.0 */
#include <stdint.h>

#include "cli/hand_in.h"
#include "cli/verbs.h"
#include "lib/base/macro.h"

static const struct option_spec options[] = {
	{ 'f', "follow", NULL, "follow the job to its end and exit with its status" },
	{ 'n', "dry-run", NULL, "show what would be sent, and send nothing" },
	WATCH_OPTIONS,
};

static int run(struct cci *cci, const struct args *args)
{
	CLEANUP(submission_deinit) struct submission submission = SUBMISSION_NULL;
	struct hand_in how = { .is_dry = args_has(args, "dry-run"),
		               .is_alone = !args_has(args, "follow") };
	int status = watch_read_options(cci, args, &how.watch);

	if (status == CCI_EXIT_PASS)
		status = submission_read(args->words[0], &submission);
	if (status == CCI_EXIT_PASS)
		status = submission_assign(&submission, args->words + 1, args->n_words - 1);
	return status == CCI_EXIT_PASS ? hand_in(cci, &submission, &how) : status;
}

const struct verb verb_submit = {
	.name = "submit",
	.words = "FILE|- [KEY=VALUE...]",
	.summary = "hand in a job; print its id, or follow it (-f)",
	.details =
		"FILE is a job in YAML or JSON, - is stdin. KEY=VALUE sets a key of it: dots "
		"lead into mappings (pp.sleep.runtime=5), an empty value takes the key away. "
		"The job is sent with an Idempotency-Key: when the answer is lost, it is sent "
		"again, and runs once.\n"
		"\n"
		"With -f the stages of its boot go to stderr (a terminal), its output to "
		"stdout, and cci exits with the job's status. Ctrl-C stops the following only.\n",
	.options = { options, ARRAY_SIZE(options) },
	.group = VERB_GROUP_JOBS,
	.completes = VERB_WORDS_FILE,
	.min_words = 1,
	.max_words = SIZE_MAX,
	.run = run,
};

/* SPDX-License-Identifier: MulanPSL-2.0 */
#include <stdlib.h>

#include "cli/cci.h"
#include "cli/format_job.h"
#include "cli/verbs.h"
#include "lib/base/macro.h"

static const struct option_spec options[] = {
	{ 0, "junit", NULL, "not in this version yet: JUnit XML" },
	{ 0, "tap", NULL, "not in this version yet: Test Anything Protocol" },
};

static int run(struct cci *cci, const struct args *args)
{
	CLEANUP(freep) char *path = cci_job_path(args->words[0], "/results/");
	CLEANUP(json_decrefp) json_t *answer = NULL;
	struct format_table table;
	const json_t *files;
	int status;

	for (size_t i = 0; i < ARRAY_SIZE(options); i++)
		if (args_has(args, options[i].name))
			return cci_usage("result: --%s is not in this version yet; --json is",
			                 options[i].name);
	status = cci_get_json(cci, args->words[0], path, &answer);
	if (status != CCI_EXIT_PASS)
		return status;
	if (cci->is_json)
		return cci_print_json(cci, answer);
	files = json_object_get(answer, "files");
	if (json_array_size(files) == 0) {
		cci_say("%s has no files (yet); `cci show` says how it stands", args->words[0]);
		return CCI_EXIT_PASS;
	}
	format_files(&table, files);
	return cci_print_table(cci, &table);
}

const struct verb verb_result = {
	.name = "result",
	.words = "ID",
	.summary = "list the files that a job brought back",
	.details = "`cci get ID NAME` fetches them. Exits 0 when there was a list, whatever the "
		   "verdict.\n",
	.options = { options, ARRAY_SIZE(options) },
	.group = VERB_GROUP_JOBS,
	.completes = VERB_WORDS_JOB,
	.min_words = 1,
	.max_words = 1,
	.run = run,
};

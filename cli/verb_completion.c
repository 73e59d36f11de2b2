/* SPDX-License-Identifier: MulanPSL-2.0 */
#include <string.h>

#include "cli/cci.h"
#include "cli/completion.h"
#include "cli/field.h"
#include "cli/list_jobs.h"
#include "cli/verbs.h"
#include "lib/base/macro.h"

#define JOBS_MAX 50

/* One name a line, for the script. */
static int print_names(const json_t *things, const char *key)
{
	struct buffer out = BUFFER_NULL;
	const json_t *thing;
	size_t i;

	json_array_foreach(things, i, thing)
	{
		format_clean(&out, field_text(thing, key));
		buffer_append_text(&out, "\n");
	}
	return cci_print(&out);
}

static int run(struct cci *cci, const struct args *args)
{
	CLEANUP(json_decrefp) json_t *jobs = json_array(), *hosts = NULL;
	const char *what = args->words[0];
	struct buffer out = BUFFER_NULL;
	int status;

	if (strcmp(what, "bash") == 0) {
		completion_write_bash(&out);
		return cci_print(&out);
	}
	if (strcmp(what, "jobs") == 0) {
		status = list_jobs(cci, NULL, NULL, JOBS_MAX, jobs);
		return status == CCI_EXIT_PASS ? print_names(jobs, "id") : status;
	}
	if (strcmp(what, "hosts") == 0) {
		status = cci_get_json(cci, "hosts", "/v1/hosts", &hosts);
		return status == CCI_EXIT_PASS
		               ? print_names(json_object_get(hosts, "hosts"), "name")
		               : status;
	}
	return cci_usage("completion: there is one for bash, not for %.40s", what);
}

const struct verb verb_completion = {
	.name = "completion",
	.words = "bash",
	.summary = "print the completion script for a shell",
	.details = "Once in a shell: . <(cci completion bash). It is installed with the program, "
		   "too.\n",
	.group = VERB_GROUP_OTHER,
	.min_words = 1,
	.max_words = 1,
	.run = run,
};

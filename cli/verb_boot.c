/* SPDX-License-Identifier: MulanPSL-2.0 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "cli/cci.h"
#include "cli/field.h"
#include "cli/format_timeline.h"
#include "cli/list_jobs.h"
#include "cli/verbs.h"
#include "lib/base/macro.h"

static const struct option_spec options[] = {
	{ 0, "svg", "FILE", "not in this version yet: the same as a picture" },
};

#define NOT_THERE 404L

/* The timeline of a job. *ret is NULL when there is no such job. */
static int fetch(struct cci *cci, const char *id, json_t **ret)
{
	CLEANUP(client_answer_deinit) struct client_answer answer = CLIENT_ANSWER_NULL;
	CLEANUP(freep) char *path = cci_job_path(id, "/timeline");
	const struct client_call call = { .path = path };
	int outcome = path ? client_perform(cci->client, &call, &answer) : -ENOMEM;

	*ret = NULL;
	if (outcome == CLIENT_DONE && answer.status == NOT_THERE)
		return CCI_EXIT_PASS;
	if (outcome != CLIENT_DONE || answer.status < 200 || answer.status >= 300)
		return cci_refused(cci, id, outcome, &answer);
	*ret = json_loadb((const char *)answer.body.data, answer.body.len, 0, NULL);
	if (*ret)
		return CCI_EXIT_PASS;
	cci_say("%s: the server's timeline is no JSON", id);
	return CCI_EXIT_INFRA;
}

/* The job a host is at, or had last. */
static int fetch_of_host(struct cci *cci, const char *name, json_t **ret)
{
	CLEANUP(freep) char *path = cci_host_path(name, "");
	CLEANUP(json_decrefp) json_t *host = NULL, *jobs = json_array();
	const char *id;
	int status = cci_get_json(cci, name, path, &host);

	if (status != CCI_EXIT_PASS)
		return status;
	id = field_text(host, "job");
	if (id[0] == '\0') {
		status = list_jobs(cci, NULL, name, 1, jobs);
		if (status != CCI_EXIT_PASS)
			return status;
		id = field_text(json_array_get(jobs, 0), "id");
	}
	if (id[0] == '\0')
		return cci_usage("%s has had no job yet: there is no boot to show", name);
	if (cci->terminal.is_err)
		cci_say("%s: job %s", name, id);
	return fetch(cci, id, ret);
}

static int print(struct cci *cci, const char *name, const json_t *timeline)
{
	const struct format_timeline_look look = { .width = cci->terminal.out_width,
		                                   .is_utf8 = cci->terminal.is_out &&
		                                              cci->terminal.is_utf8,
		                                   .has_colour = cci->terminal.has_out_colour };
	struct buffer out = BUFFER_NULL;
	int q;

	if (cci->is_json)
		return cci_print_json(cci, timeline);
	q = format_timeline(&out, json_object_get(timeline, "boot"), &look);
	if (q == FORMAT_TIMELINE_EMPTY) {
		cci_say("%s: nothing has happened yet", name);
		return CCI_EXIT_PASS;
	}
	return cci_print(&out);
}

static int run(struct cci *cci, const struct args *args)
{
	CLEANUP(json_decrefp) json_t *timeline = NULL;
	const char *name = args->words[0];
	int status;

	if (args_has(args, "svg"))
		return cci_usage("boot: --svg is not in this version yet; --json is");
	status = fetch(cci, name, &timeline);
	if (status == CCI_EXIT_PASS && !timeline)
		status = fetch_of_host(cci, name, &timeline);
	if (status != CCI_EXIT_PASS)
		return status;
	if (!timeline)
		return cci_usage("there is no job or host %s", name);
	return print(cci, name, timeline);
}

const struct verb verb_boot = {
	.name = "boot",
	.words = "ID|HOST",
	.summary = "draw the timeline of a job's boot, stage by stage",
	.details =
		"One bar a stage on one axis of time; of a transfer also its size and rate. Of "
		"a host it is the boot of the job that it runs, or ran last. Below the bars stands "
		"what failed in the initramfs; the log of that is the job's file initramfs.log "
		"(`cci get ID initramfs.log -o -`).\n",
	.options = { options, ARRAY_SIZE(options) },
	.group = VERB_GROUP_JOBS,
	.completes = VERB_WORDS_JOB,
	.min_words = 1,
	.max_words = 1,
	.run = run,
};

/* SPDX-License-Identifier: MulanPSL-2.0 */
#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

#include "cli/verbs.h"
#include "cli/watch.h"
#include "lib/base/macro.h"
#include "lib/sys/fd.h"

static const struct option_spec options[] = {
	{ 'f', "follow", NULL, "go on until the job has ended" },
	WATCH_OPTIONS,
};

static int write_out(void *context, struct slice bytes)
{
	return fd_write_all(STDOUT_FILENO, bytes.data, bytes.len);
}

static int run(struct cci *cci, const struct args *args)
{
	CLEANUP(client_answer_deinit) struct client_answer answer = CLIENT_ANSWER_NULL;
	CLEANUP(freep) char *path = cci_job_path(args->words[0], "/log");
	struct client_call call = { .path = path, .accept = "text/plain", .sink = write_out };
	struct watch watch;
	int status, outcome;

	status = watch_read_options(cci, args, &watch);
	if (status != CCI_EXIT_PASS)
		return status;
	if (!path)
		return cci_trouble("log", -ENOMEM);
	if (args_has(args, "follow")) {
		watch.has_output = true;
		watch.has_stages = args_has(args, "progress");
		return watch_job(cci, args->words[0], &watch);
	}
	outcome = client_perform(cci->client, &call, &answer);
	if (outcome != CLIENT_DONE || answer.status < 200 || answer.status >= 300)
		return cci_refused(cci, args->words[0], outcome, &answer);
	return CCI_EXIT_PASS;
}

const struct verb verb_log = {
	.name = "log",
	.words = "ID",
	.summary = "print what a job has written so far, or follow it (-f)",
	.details = "With -f it goes on until the job has ended, through restarts of the server, "
		   "and exits with the job's status; without, it exits 0 when the log could be "
		   "read.\n",
	.options = { options, ARRAY_SIZE(options) },
	.group = VERB_GROUP_JOBS,
	.completes = VERB_WORDS_JOB,
	.min_words = 1,
	.max_words = 1,
	.run = run,
};

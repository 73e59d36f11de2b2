/* SPDX-License-Identifier: MulanPSL-2.0 */
#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "cli/field.h"
#include "cli/hand_in.h"
#include "cli/shell_quote.h"
#include "cli/verbs.h"
#include "lib/base/macro.h"

static const struct option_spec options[] = {
	{ 'H', "host", "HOST", "the host or group of hosts to run on" },
	{ 's', "set", "KEY=VALUE", "set a key of the job, as `cci submit` does; may be repeated" },
	{ 't', "time", "SECONDS", "the job's runtime (default: 3600)" },
	{ 'd', "detach", NULL, "print the job's id and do not follow it" },
	{ 'n', "dry-run", NULL, "show what would be sent, and send nothing" },
	WATCH_OPTIONS,
};

/* What a job has when neither the options nor the configuration say otherwise. */
static const char *const fallback[] = {
	"suite=run",           "os=debian",          "os_arch=x86_64",
	"os_version=bookworm", "os_mount=initramfs", "runtime=3600",
};

/* The one host of a lab of one: then nobody needs to name it. Returns the status. */
static int find_only_host(struct cci *cci, struct submission *submission)
{
	CLEANUP(json_decrefp) json_t *answer = NULL;
	const json_t *hosts, *host;
	int status = cci_get_json(cci, "hosts", "/v1/hosts", &answer);

	if (status != CCI_EXIT_PASS)
		return status;
	hosts = json_object_get(answer, "hosts");
	host = json_array_get(hosts, 0);
	if (json_array_size(hosts) != 1 || field_text(host, "name")[0] == '\0')
		return cci_usage("which host? give -H HOST (`cci hosts` lists them), or "
		                 "`defaults: {testbox: ...}` in ~/.config/cci/config.yaml");
	if (json_object_set(submission->job, "testbox", json_object_get(host, "name")) < 0)
		return cci_trouble("run", -ENOMEM);
	if (field_text(host, "arch")[0] && !json_object_get(submission->job, "os_arch"))
		(void)json_object_set(submission->job, "os_arch", json_object_get(host, "arch"));
	return CCI_EXIT_PASS;
}

/* Options over the configuration's defaults. */
static int take_options(struct submission *submission, const struct args *args)
{
	const char *host = args_value(args, "host"), *seconds = args_value(args, "time");
	char runtime[64];
	const char *word = runtime;
	int status = CCI_EXIT_PASS;

	if (host && json_object_set_new(submission->job, "testbox", json_string(host)) < 0)
		return cci_usage("-H: this is no name of a host");
	if (seconds) {
		if (strspn(seconds, "0123456789") != strlen(seconds) || strlen(seconds) > 9 ||
		    seconds[0] == '\0')
			return cci_usage("-t: expected a number of seconds, not %.40s", seconds);
		(void)snprintf(runtime, sizeof(runtime), "runtime=%s", seconds);
		status = submission_assign(submission, &word, 1);
	}
	for (size_t i = 0; i < args->n_given && status == CCI_EXIT_PASS; i++)
		if (strcmp(args->given[i].spec->name, "set") == 0)
			status = submission_assign(submission, &args->given[i].value, 1);
	return status;
}

static int take_fallback(struct submission *submission)
{
	int status = CCI_EXIT_PASS;

	for (size_t i = 0; i < ARRAY_SIZE(fallback) && status == CCI_EXIT_PASS; i++) {
		size_t len = strcspn(fallback[i], "=");

		if (!json_object_getn(submission->job, fallback[i], len))
			status = submission_assign(submission, &fallback[i], 1);
	}
	return status;
}

static int take_command(struct submission *submission, const struct args *args)
{
	struct buffer script = BUFFER_NULL;
	json_t *value;

	shell_quote_command(&script, args->words, args->n_words);
	buffer_append_text(&script, "\n");
	if (buffer_error(&script) < 0)
		return cci_trouble("run", -ENOMEM);
	value = json_stringn((const char *)script.data, script.len);
	buffer_deinit(&script);
	if (!value)
		return cci_usage("the command is not UTF-8: put it in a file and use `cci submit`");
	if (json_object_set_new(submission->job, "script", value) < 0)
		return cci_trouble("run", -ENOMEM);
	return CCI_EXIT_PASS;
}

static int build(struct cci *cci, const struct args *args, struct submission *submission)
{
	int status;

	submission->job =
		cci->config.defaults ? json_deep_copy(cci->config.defaults) : json_object();
	if (!submission->job)
		return cci_trouble("run", -ENOMEM);
	status = take_options(submission, args);
	if (status == CCI_EXIT_PASS && !json_object_get(submission->job, "testbox"))
		status = find_only_host(cci, submission);
	if (status == CCI_EXIT_PASS)
		status = take_fallback(submission);
	if (status == CCI_EXIT_PASS)
		status = take_command(submission, args);
	return status;
}

static int run(struct cci *cci, const struct args *args)
{
	CLEANUP(submission_deinit) struct submission submission = SUBMISSION_NULL;
	struct hand_in how = { .is_dry = args_has(args, "dry-run"),
		               .is_alone = args_has(args, "detach") };
	int status = watch_read_options(cci, args, &how.watch);

	if (status == CCI_EXIT_PASS)
		status = build(cci, args, &submission);
	return status == CCI_EXIT_PASS ? hand_in(cci, &submission, &how) : status;
}

const struct verb verb_run = {
	.name = "run",
	.words = "-- COMMAND",
	.summary = "run a command on a lab machine, show its output, exit with its status",
	.details = "Makes a job whose script is COMMAND, hands it in and follows it. Several "
		   "words are quoted so that the machine runs exactly these; one word is shell "
		   "text:\n"
		   "\n"
		   "  cci run -H vm-2p8g -- ls -l '/my dir'\n"
		   "  cci run 'dmesg | grep -c ACPI'\n"
		   "\n"
		   "Keys of the job come from -s, then from `defaults:` in the configuration "
		   "file; what is left becomes suite=run os=debian os_arch=x86_64 "
		   "os_version=bookworm os_mount=initramfs. Without a host, the only host of a "
		   "lab of one is taken. Ctrl-C stops the following only.\n",
	.options = { options, ARRAY_SIZE(options) },
	.group = VERB_GROUP_JOBS,
	.completes = VERB_WORDS_NONE,
	.min_words = 1,
	.max_words = SIZE_MAX,
	.is_verbatim = true,
	.run = run,
};

/* SPDX-License-Identifier: MulanPSL-2.0 */
/*
 * A file is written under a temporary name beside its place and renamed when it is whole, so that
 * nobody takes a piece for the file.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cli/cci.h"
#include "cli/field.h"
#include "cli/format_units.h"
#include "cli/url.h"
#include "cli/verbs.h"
#include "lib/base/macro.h"
#include "lib/base/text.h"
#include "lib/sys/fd.h"

static const struct option_spec options[] = {
	{ 'o', "output", "PLACE",
	  "a directory, the name for one file, or - for stdout (default: "
	  "the file's own name, here)" },
	{ 'a', "all", NULL, "every file of the job" },
};

/* Where bytes go, and how many went. */
struct target {
	int fd;
	int64_t size;
};

static int write_part(void *context, struct slice bytes)
{
	struct target *target = context;

	target->size += (int64_t)bytes.len;
	return fd_write_all(target->fd, bytes.data, bytes.len);
}

/* Streams one file of the job into a descriptor. Returns the status. */
static int fetch(struct cci *cci, const char *id, const char *name, struct target *target)
{
	CLEANUP(client_answer_deinit) struct client_answer answer = CLIENT_ANSWER_NULL;
	CLEANUP(buffer_deinit) struct buffer rest = BUFFER_NULL;
	CLEANUP(freep) char *path = NULL;
	struct client_call call = { .accept = "*/*", .sink = write_part, .context = target };
	int outcome;

	buffer_append_text(&rest, "/results/");
	url_append_path(&rest, slice_from_text(name));
	path = buffer_error(&rest) == 0 ? cci_job_path(id, (const char *)rest.data) : NULL;
	if (!path)
		return cci_trouble(name, -ENOMEM);
	call.path = path;
	outcome = client_perform(cci->client, &call, &answer);
	if (outcome == CLIENT_DONE && answer.status >= 200 && answer.status < 300)
		return CCI_EXIT_PASS;
	return cci_refused(cci, name, outcome, &answer);
}

static const char *last_component(const char *name)
{
	const char *slash = strrchr(name, '/');

	return slash ? slash + 1 : name;
}

/* Whether a server's name may become a file here: no way out, nothing hidden. */
static bool is_safe(const char *component)
{
	return component[0] != '\0' && component[0] != '.';
}

static bool is_directory(const char *path)
{
	struct stat st;

	return stat(path, &st) == 0 && S_ISDIR(st.st_mode);
}

/* The file's place: in the directory `output`, or under that name, or its own name here. */
static char *place_of(const char *output, const char *name, bool is_one)
{
	if (!output)
		return strdup(last_component(name));
	if (is_directory(output) || !is_one)
		return text_format("%s/%s", output, last_component(name));
	return strdup(output);
}

static int save(struct cci *cci, const char *id, const char *name, const char *place)
{
	CLEANUP(freep) char *temporary = text_format("%s.part", place);
	CLEANUP(fd_closep) int fd = -1;
	struct target target = { .fd = -1 };
	int status;

	if (!temporary)
		return cci_trouble(place, -ENOMEM);
	fd = open(temporary, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0666);
	if (fd < 0)
		return cci_usage("%s: %s", temporary, strerrordesc_np(errno));
	target.fd = fd;
	status = fetch(cci, id, name, &target);
	if (status == CCI_EXIT_PASS && rename(temporary, place) < 0)
		status = cci_trouble(place, -errno);
	if (status != CCI_EXIT_PASS)
		(void)unlink(temporary); /* best effort: what went wrong was said */
	else if (cci->terminal.is_err)
		cci_say("%s (%lld bytes)", place, (long long)target.size);
	return status;
}

static int get_one(struct cci *cci, const struct args *args, const char *name, bool is_one)
{
	const char *output = args_value(args, "output");
	CLEANUP(freep) char *place = NULL;
	struct target out = { .fd = STDOUT_FILENO };

	if (output && strcmp(output, "-") == 0)
		return fetch(cci, args->words[0], name, &out);
	if (!is_safe(last_component(name)))
		return cci_usage("%s: no name for a file here; give -o", name);
	place = place_of(output, name, is_one);
	if (!place)
		return cci_trouble(name, -ENOMEM);
	return save(cci, args->words[0], name, place);
}

static int get_all(struct cci *cci, const struct args *args)
{
	CLEANUP(freep) char *path = cci_job_path(args->words[0], "/results/");
	CLEANUP(json_decrefp) json_t *answer = NULL;
	enum cci_exit highest = CCI_EXIT_PASS;
	const json_t *file;
	size_t i;
	int status = cci_get_json(cci, args->words[0], path, &answer);

	if (status != CCI_EXIT_PASS)
		return status;
	json_array_foreach(json_object_get(answer, "files"), i, file)
	{
		status = get_one(cci, args, field_text(file, "name"), false);
		highest = exit_status_highest(highest, (enum cci_exit)status);
	}
	return (int)highest;
}

static int run(struct cci *cci, const struct args *args)
{
	const char *output = args_value(args, "output");
	size_t n = args->n_words - 1;
	enum cci_exit highest = CCI_EXIT_PASS;

	if (args_has(args, "all") ? n > 0 : n == 0)
		return cci_usage("get: give the names of files (`cci result ID` lists them), or "
		                 "--all");
	if (n != 1 && output && strcmp(output, "-") != 0 && !is_directory(output))
		return cci_usage("get: several files need a directory, %s is none", output);
	if (args_has(args, "all"))
		return get_all(cci, args);
	for (size_t i = 0; i < n; i++) {
		int status = get_one(cci, args, args->words[i + 1], n == 1);

		highest = exit_status_highest(highest, (enum cci_exit)status);
	}
	return (int)highest;
}

const struct verb verb_get = {
	.name = "get",
	.words = "ID PATH...",
	.summary = "fetch result files of a job",
	.details = "PATH is a name that `cci result ID` shows. A file appears under its name only "
		   "when it is whole.\n",
	.options = { options, ARRAY_SIZE(options) },
	.group = VERB_GROUP_JOBS,
	.completes = VERB_WORDS_JOB,
	.min_words = 1,
	.max_words = SIZE_MAX,
	.run = run,
};

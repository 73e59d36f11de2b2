/* SPDX-License-Identifier: MulanPSL-2.0 */
/*
 * A file is written under a temporary name beside its place and renamed when it is whole, so that
 * nobody takes a piece for the file. What comes is held against the SHA-256 that the server has
 * recorded; a file that is not listed (the output of a running job, say) has none.
 */
#include <errno.h>
#include <fcntl.h>
#include <openssl/evp.h>
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

/* What is to be fetched, and how. */
struct get {
	struct cci *cci;
	const char *id;
	const char *output; /* NULL: here */
	bool is_one;
	const json_t *files; /* the server's list */
};

/* Where bytes go, how many went, and their digest. */
struct target {
	int fd;
	int64_t size;
	EVP_MD_CTX *digest;
};

static int write_part(void *context, struct slice bytes)
{
	struct target *target = context;

	if (EVP_DigestUpdate(target->digest, bytes.data, bytes.len) != 1)
		return -EIO;
	target->size += (int64_t)bytes.len;
	return fd_write_all(target->fd, bytes.data, bytes.len);
}

static int stream(const struct get *get, const char *name, struct target *target)
{
	struct cci *cci = get->cci;
	CLEANUP(client_answer_deinit) struct client_answer answer = CLIENT_ANSWER_NULL;
	CLEANUP(buffer_deinit) struct buffer rest = BUFFER_NULL;
	CLEANUP(freep) char *path = NULL;
	struct client_call call = { .accept = "*/*", .sink = write_part, .context = target };
	int outcome;

	buffer_append_text(&rest, "/results/");
	url_append_path(&rest, slice_from_text(name));
	path = buffer_error(&rest) == 0 ? cci_job_path(get->id, (const char *)rest.data) : NULL;
	if (!path)
		return cci_trouble(name, -ENOMEM);
	call.path = path;
	outcome = client_perform(cci->client, &call, &answer);
	if (outcome == CLIENT_DONE && answer.status >= 200 && answer.status < 300)
		return CCI_EXIT_PASS;
	return cci_refused(cci, name, outcome, &answer);
}

/* The SHA-256 that the server has recorded; "" when there is none. */
static const char *recorded_sha256(const struct get *get, const char *name)
{
	const json_t *file;
	size_t i;

	json_array_foreach(get->files, i, file) if (strcmp(field_text(file, "name"), name) ==
	                                            0) return field_text(file, "sha256");
	return "";
}

static int check(const struct get *get, const char *name, struct target *target)
{
	const char *expected = recorded_sha256(get, name);
	unsigned char sum[EVP_MAX_MD_SIZE] = { 0 };
	char text[2 * EVP_MAX_MD_SIZE + 1];
	unsigned len = 0;

	if (EVP_DigestFinal_ex(target->digest, sum, &len) != 1)
		return cci_trouble(name, -ENOMEM);
	text_hex(text, sum, len);
	if (expected[0] == '\0' || strcmp(text, expected) == 0)
		return CCI_EXIT_PASS;
	cci_say("%s: what came is not what the machine sent: its sha256 is %s, not %s", name, text,
	        expected);
	return CCI_EXIT_INFRA;
}

/* Streams one file of the job into a descriptor and checks it. Returns the status. */
static int fetch(const struct get *get, const char *name, struct target *target)
{
	int status = CCI_EXIT_INFRA;

	target->digest = EVP_MD_CTX_new();
	if (!target->digest || EVP_DigestInit_ex(target->digest, EVP_sha256(), NULL) != 1)
		status = cci_trouble(name, -ENOMEM);
	else
		status = stream(get, name, target);
	if (status == CCI_EXIT_PASS)
		status = check(get, name, target);
	EVP_MD_CTX_free(target->digest);
	return status;
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

static int save(const struct get *get, const char *name, const char *place)
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
	status = fetch(get, name, &target);
	if (status == CCI_EXIT_PASS && rename(temporary, place) < 0)
		status = cci_trouble(place, -errno);
	if (status != CCI_EXIT_PASS)
		(void)unlink(temporary); /* best effort: what went wrong was said */
	else if (get->cci->terminal.is_err)
		cci_say("%s (%lld bytes)", place, (long long)target.size);
	return status;
}

static int get_one(const struct get *get, const char *name)
{
	CLEANUP(freep) char *place = NULL;
	struct target out = { .fd = STDOUT_FILENO };

	if (get->output && strcmp(get->output, "-") == 0)
		return fetch(get, name, &out);
	if (!is_safe(last_component(name)))
		return cci_usage("%s: no name for a file here; give -o", name);
	place = place_of(get->output, name, get->is_one);
	if (!place)
		return cci_trouble(name, -ENOMEM);
	return save(get, name, place);
}

/* Those that were named, or (n_names 0) every one. Returns the worst status. */
static int get_files(const struct get *get, const char **names, size_t n_names)
{
	size_t n = n_names > 0 ? n_names : json_array_size(get->files);
	enum cci_exit highest = CCI_EXIT_PASS;

	for (size_t i = 0; i < n; i++) {
		const char *name =
			n_names > 0 ? names[i] : field_text(json_array_get(get->files, i), "name");

		highest = exit_status_highest(highest, (enum cci_exit)get_one(get, name));
	}
	return (int)highest;
}

static int run(struct cci *cci, const struct args *args)
{
	const char *id = args->words[0], *output = args_value(args, "output");
	CLEANUP(json_decrefp) json_t *list = NULL;
	CLEANUP(freep) char *path = NULL;
	size_t n = args->n_words - 1;
	int status;

	if (args_has(args, "all") ? n > 0 : n == 0)
		return cci_usage("get: give the names of files (`cci result ID` lists them), or "
		                 "--all");
	if (n != 1 && output && strcmp(output, "-") != 0 && !is_directory(output))
		return cci_usage("get: several files need a directory, %s is none", output);
	path = cci_job_path(id, "/results/");
	status = cci_get_json(cci, id, path, &list);
	if (status != CCI_EXIT_PASS)
		return status;
	return get_files(&(struct get){ .cci = cci,
	                                .id = id,
	                                .output = output,
	                                .is_one = n == 1,
	                                .files = json_object_get(list, "files") },
	                 args->words + 1, n);
}

const struct verb verb_get = {
	.name = "get",
	.words = "ID PATH...",
	.summary = "fetch result files of a job",
	.details = "PATH is a name that `cci result ID` shows. A file appears under its name only "
		   "when it is whole and has the SHA-256 that the server recorded.\n",
	.options = { options, ARRAY_SIZE(options) },
	.group = VERB_GROUP_JOBS,
	.completes = VERB_WORDS_JOB,
	.min_words = 1,
	.max_words = SIZE_MAX,
	.run = run,
};

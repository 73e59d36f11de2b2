/* SPDX-License-Identifier: MulanPSL-2.0 */
#include <errno.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "cli/assign.h"
#include "cli/cci.h"
#include "cli/format_job.h"
#include "cli/verbs.h"
#include "lib/base/macro.h"
#include "lib/sys/clock.h"

/* What `cci host NAME` will do in later versions, refused by name. */
static const char *const later[] = { "drain", "undrain" };

static int print(struct cci *cci, const json_t *host)
{
	struct format_table table;

	if (cci->is_json)
		return cci_print_json(cci, host);
	format_host_details(&table, host, clock_wall());
	return cci_print_table(cci, &table);
}

static int show(struct cci *cci, const char *name)
{
	CLEANUP(freep) char *path = cci_host_path(name, "");
	CLEANUP(json_decrefp) json_t *host = NULL;
	int status = cci_get_json(cci, name, path, &host);

	return status == CCI_EXIT_PASS ? print(cci, host) : status;
}

static int set(struct cci *cci, const char *name, const char *const words[], size_t n_words)
{
	CLEANUP(freep) char *path = cci_host_path(name, ""), *body = NULL;
	CLEANUP(json_decrefp) json_t *keys = json_object(), *host = NULL;
	struct client_call call = { .method = "PUT", .content_type = "application/json" };
	char error[ASSIGN_ERROR_MAX];
	int status;

	if (n_words == 0)
		return cci_usage("host %s set: expected KEY=VALUE", name);
	for (size_t i = 0; i < n_words; i++)
		if (assign_apply(keys, words[i], error) != 0)
			return cci_usage("%s", error);
	body = json_dumps(keys, JSON_COMPACT);
	if (!path || !body)
		return cci_trouble(name, -ENOMEM);
	call.path = path;
	call.body = slice_from_text(body);
	status = cci_call_json(cci, name, &call, &host);
	return status == CCI_EXIT_PASS ? print(cci, host) : status;
}

static int power(struct cci *cci, const char *name, const char *const words[], size_t n_words)
{
	bool force = n_words == 2 && strcmp(words[1], "force") == 0;
	CLEANUP(freep) char *path = cci_host_path(name, "/power"), *body = NULL;
	CLEANUP(json_decrefp) json_t *ask = NULL, *host = NULL;
	struct client_call call = { .method = "POST", .content_type = "application/json" };
	int status;

	if (n_words == 0 || n_words > 2 || (n_words == 2 && !force) ||
	    (strcmp(words[0], "on") != 0 && strcmp(words[0], "off") != 0 &&
	     strcmp(words[0], "cycle") != 0))
		return cci_usage("host %s power: expected on, off or cycle, and perhaps force",
		                 name);
	ask = json_pack("{s:s, s:b}", "action", words[0], "force", (int)force);
	body = ask ? json_dumps(ask, JSON_COMPACT) : NULL;
	if (!path || !body)
		return cci_trouble(name, -ENOMEM);
	call.path = path;
	call.body = slice_from_text(body);
	status = cci_call_json(cci, name, &call, &host);
	return status == CCI_EXIT_PASS ? print(cci, host) : status;
}

static int run(struct cci *cci, const struct args *args)
{
	const char *name = args->words[0], *what = args->n_words > 1 ? args->words[1] : NULL;

	if (!what)
		return show(cci, name);
	if (strcmp(what, "set") == 0)
		return set(cci, name, args->words + 2, args->n_words - 2);
	if (strcmp(what, "power") == 0)
		return power(cci, name, args->words + 2, args->n_words - 2);
	for (size_t i = 0; i < ARRAY_SIZE(later); i++)
		if (strcmp(what, later[i]) == 0)
			return cci_usage("host %s %s is not in this version yet", name, what);
	return cci_usage("host: expected set KEY=VALUE... or power, not %.40s", what);
}

const struct verb verb_host = {
	.name = "host",
	.words = "NAME [set KEY=VALUE... | power on|off|cycle [force]]",
	.summary = "show a machine, change what the server knows of it, or switch it",
	.details = "Keys are those of a host file: mac_addr, rootfs_disk, memory, arch and the "
		   "like. What a file of the server says stands over this. power asks the "
		   "server to switch the machine; under a job it is cycled or switched off only "
		   "with force. drain and undrain are not in this version yet.\n",
	.group = VERB_GROUP_HOSTS,
	.completes = VERB_WORDS_HOST,
	.min_words = 1,
	.max_words = SIZE_MAX,
	.run = run,
};

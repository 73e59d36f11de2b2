/* SPDX-License-Identifier: MulanPSL-2.0 */
/*
 * The table of verbs, in the order of the help.
 */
#include "cli/verbs.h"

#include <stdint.h>
#include <string.h>

#include "cli/verb.h"
#include "lib/base/macro.h"

const struct verb *const verb_table[] = {
	&verb_submit, &verb_run,    &verb_ps,   &verb_show,   &verb_log,
	&verb_wait,   &verb_result, &verb_get,  &verb_cancel, &verb_retry,
	&verb_boot,   &verb_hosts,  &verb_host, &verb_events, &verb_completion,
};
const size_t verb_count = ARRAY_SIZE(verb_table);

static const struct option_spec common[] = {
	{ 0, "server", "URL",
	  "the server (default: $CCI_SERVER, the configuration file, "
	  "http://127.0.0.1:3000)" },
	{ 0, "json", NULL, "print what the server says as JSON, for scripts" },
	{ 'h', "help", NULL, "explain the program or the verb" },
};

static const struct option_spec program[] = {
	{ 0, "version", NULL, "print the version" },
};

const struct option_table verb_common_options = { common, ARRAY_SIZE(common) };
const struct option_table verb_program_options = { program, ARRAY_SIZE(program) };

/* Verbs that the interface promises and this version does not have. */
static const struct {
	const char *name, *what;
} later[] = {
	{ "console", "the serial console of a host" },
	{ "why", "why a job waits or a host idles (until then: `cci show ID` gives the reason)" },
};

const struct verb *verb_find(const char *name)
{
	for (size_t i = 0; i < verb_count; i++)
		if (strcmp(verb_table[i]->name, name) == 0)
			return verb_table[i];
	return NULL;
}

const char *verb_later(const char *name)
{
	for (size_t i = 0; i < ARRAY_SIZE(later); i++)
		if (strcmp(later[i].name, name) == 0)
			return later[i].what;
	return NULL;
}

#define NAME_MAX_GUESSED 16 /* longer words are no mistyped verb */

/* Least number of letters inserted, left out or replaced between a and b (Levenshtein). */
static unsigned distance(const char *a, const char *b)
{
	unsigned row[NAME_MAX_GUESSED + 1];
	size_t n = strlen(b);

	for (size_t j = 0; j <= n; j++)
		row[j] = (unsigned)j;
	for (size_t i = 1; a[i - 1]; i++) {
		unsigned diagonal = row[0];

		row[0] = (unsigned)i;
		for (size_t j = 1; j <= n; j++) {
			unsigned above = row[j];
			unsigned replaced = diagonal + (a[i - 1] != b[j - 1]);

			row[j] = MIN(above, row[j - 1]) + 1;
			row[j] = MIN(row[j], replaced);
			diagonal = above;
		}
	}
	return row[n];
}

const struct verb *verb_guess(const char *name)
{
	const struct verb *best = NULL;
	unsigned least = 3; /* two slips of the finger, and less than the half of the name */

	if (strlen(name) > NAME_MAX_GUESSED)
		return NULL;
	for (size_t i = 0; i < verb_count; i++) {
		unsigned d = distance(verb_table[i]->name, name);

		if (d < least && d * 2 < strlen(name) + 1) {
			least = d;
			best = verb_table[i];
		}
	}
	return best;
}

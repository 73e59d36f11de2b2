/* SPDX-License-Identifier: MulanPSL-2.0 */
/*
 * cci: finds the verb, reads its options, runs it. Options of the program may stand before or after
 * the verb.
 */
#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/cci.h"
#include "cli/help.h"
#include "cli/verb.h"
#include "lib/base/macro.h"

/* Parses what stands before the verb and finds its index in argv; 0: there is none. */
static int find_verb(size_t n, const char *const argv[], size_t *ret_index, bool *ret_is_version)
{
	const struct args_syntax syntax = { .own = verb_program_options,
		                            .common = verb_common_options,
		                            .is_verbatim = true };
	CLEANUP(args_deinit) struct args args = { .given = NULL };
	char error[ARGS_ERROR_MAX];
	int q = args_parse(&syntax, n - 1, argv + 1, &args, error);

	if (q != 0)
		return q < 0 ? cci_trouble("options", q) : cci_usage("%s; see cci --help", error);
	*ret_is_version = args_has(&args, "version");
	*ret_index = args.n_words > 0 ? n - args.n_words : 0;
	return CCI_EXIT_PASS;
}

static int say_no_such_verb(const char *name)
{
	const struct verb *guess = verb_guess(name);
	const char *what = verb_later(name);

	if (what)
		return cci_usage("%s is not in this version yet: %s", name, what);
	if (guess)
		return cci_usage("there is no verb %.40s; did you mean %s?", name, guess->name);
	return cci_usage("there is no verb %.40s; see cci --help", name);
}

/* The verb's words are as many as it wants, or the usage is shown. */
static int check_words(const struct verb *verb, const struct args *args)
{
	struct buffer usage = BUFFER_NULL;

	if (args->n_words >= verb->min_words && args->n_words <= verb->max_words)
		return CCI_EXIT_PASS;
	help_usage(&usage, verb);
	if (args->n_words < verb->min_words)
		(void)cci_usage("%s: something is missing", verb->name);
	else
		(void)cci_usage("%s: %.80s is one word too many", verb->name,
		                args->words[verb->max_words]);
	(void)fputs(usage.data ? (const char *)usage.data : "", stderr);
	buffer_deinit(&usage);
	return CCI_EXIT_USAGE;
}

static int print_help(const struct verb *verb)
{
	struct buffer out = BUFFER_NULL;

	if (verb)
		help_verb(&out, verb);
	else
		help_program(&out);
	return cci_print(&out);
}

/* Everything but the server is known: find that, and run. */
static int run(const struct verb *verb, const struct args *args)
{
	struct cci cci = { .is_json = args_has(args, "json") };
	char error[CONFIG_ERROR_MAX];
	int q;

	cci_find_terminal(&cci.terminal);
	q = config_load(args_value(args, "server"), &cci.config, error);
	if (q == CONFIG_BAD)
		return cci_usage("%s", error);
	if (q == 0)
		q = client_new(cci.config.server, cci.config.token, &cci.client);
	if (q == 0)
		q = verb->run(&cci, args);
	else
		q = cci_trouble("cannot start", q);
	client_free(cci.client);
	config_deinit(&cci.config);
	return q;
}

static int run_verb(const struct verb *verb, size_t n, const char *const words[])
{
	const struct args_syntax syntax = { .own = verb->options,
		                            .common = verb_common_options,
		                            .is_verbatim = verb->is_verbatim };
	CLEANUP(args_deinit) struct args args = { .given = NULL };
	char error[ARGS_ERROR_MAX];
	int q = args_parse(&syntax, n, words, &args, error);

	if (q < 0)
		return cci_trouble(verb->name, q);
	if (q != 0)
		return cci_usage("%s: %s; see cci %s --help", verb->name, error, verb->name);
	if (args_has(&args, "help"))
		return print_help(verb);
	q = check_words(verb, &args);
	return q == CCI_EXIT_PASS ? run(verb, &args) : q;
}

int main(int argc, char *argv[])
{
	const char *const *words = (const char *const *)argv;
	CLEANUP(freep) const char **rest = NULL;
	size_t n = (size_t)MAX(argc, 1), at = 0;
	const struct verb *verb;
	bool is_version = false;
	int q;

	if (argc < 1)
		return CCI_EXIT_USAGE;
	q = find_verb(n, words, &at, &is_version);
	if (q != CCI_EXIT_PASS)
		return q;
	if (is_version)
		return printf("cci %s\n", CCI_VERSION) < 0 ? CCI_EXIT_INFRA : CCI_EXIT_PASS;
	for (size_t i = 1; at == 0 && i < n; i++)
		if (strcmp(words[i], "--help") == 0 || strcmp(words[i], "-h") == 0)
			return print_help(NULL);
	if (at == 0) {
		(void)print_help(NULL);
		return CCI_EXIT_USAGE;
	}
	verb = verb_find(words[at]);
	if (!verb)
		return say_no_such_verb(words[at]);
	/* the verb's options, and those before it, are one list now */
	rest = calloc(n, sizeof(*rest));
	if (!rest)
		return cci_trouble("cannot start", -ENOMEM);
	memcpy(rest, words + 1, (at - 1) * sizeof(*rest));
	memcpy(rest + at - 1, words + at + 1, (n - at - 1) * sizeof(*rest));
	return run_verb(verb, n - 2, rest);
}

/* SPDX-License-Identifier: MulanPSL-2.0 */
#include "cli/args.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/base/macro.h"

/* State of one parse. */
struct reader {
	const struct args_syntax *syntax;
	const char *const *argv;
	size_t n, i; /* i: the next word to look at */
	struct args *args;
	char *error;
};

static const struct option_spec *find_in(const struct option_table *table, char letter,
                                         const char *name, size_t len)
{
	for (size_t i = 0; i < table->n_specs; i++) {
		const struct option_spec *spec = &table->specs[i];

		if (letter ? spec->letter == letter
		           : strlen(spec->name) == len && strncmp(spec->name, name, len) == 0)
			return spec;
	}
	return NULL;
}

static const struct option_spec *find(const struct reader *r, char letter, const char *name,
                                      size_t len)
{
	const struct option_spec *spec = find_in(&r->syntax->own, letter, name, len);

	return spec ? spec : find_in(&r->syntax->common, letter, name, len);
}

static int bad(struct reader *r, const char *format, const char *what, size_t len)
{
	(void)snprintf(r->error, ARGS_ERROR_MAX, format, (int)MIN(len, (size_t)60), what);
	return ARGS_BAD;
}

static void give(struct reader *r, const struct option_spec *spec, const char *value)
{
	r->args->given[r->args->n_given++] = (struct args_given){ .spec = spec, .value = value };
}

/* The word after an option that wants a value. */
static const char *take_value(struct reader *r)
{
	return r->i < r->n ? r->argv[r->i++] : NULL;
}

static int read_long(struct reader *r, const char *name)
{
	size_t len = strcspn(name, "=");
	const char *value = name[len] == '=' ? name + len + 1 : NULL;
	const struct option_spec *spec = find(r, 0, name, len);

	if (!spec)
		return bad(r, "there is no option --%.*s", name, len);
	if (!spec->value && value)
		return bad(r, "--%.*s takes no value", name, len);
	if (spec->value && !value)
		value = take_value(r);
	if (spec->value && !value)
		return bad(r, "--%.*s needs a value", name, len);
	give(r, spec, value);
	return 0;
}

static int read_short(struct reader *r, const char *letters)
{
	for (const char *p = letters; *p; p++) {
		const struct option_spec *spec = find(r, *p, NULL, 0);
		const char *value = NULL;

		if (!spec)
			return bad(r, "there is no option -%.*s", p, 1);
		if (spec->value) {
			value = p[1] ? p + 1 : take_value(r);
			if (!value)
				return bad(r, "-%.*s needs a value", p, 1);
		}
		give(r, spec, value);
		if (value)
			break;
	}
	return 0;
}

static int read_all(struct reader *r)
{
	bool is_open = true; /* options are still looked for */
	int q;

	while (r->i < r->n) {
		const char *word = r->argv[r->i++];

		q = 0;
		if (is_open && strcmp(word, "--") == 0) {
			is_open = false;
		} else if (is_open && word[0] == '-' && word[1] == '-') {
			q = read_long(r, word + 2);
		} else if (is_open && word[0] == '-' && word[1]) {
			q = read_short(r, word + 1);
		} else {
			r->args->words[r->args->n_words++] = word;
			is_open = is_open && !r->syntax->is_verbatim;
		}
		if (q != 0)
			return q;
	}
	return 0;
}

/* A word of letters may hold as many options; every other word holds one. */
static size_t count_room(size_t n, const char *const argv[])
{
	size_t room = 1;

	for (size_t i = 0; i < n; i++)
		room += argv[i][0] == '-' && argv[i][1] != '-' ? strlen(argv[i]) : 1;
	return room;
}

int args_parse(const struct args_syntax *syntax, size_t n, const char *const argv[],
               struct args *ret,
               /* NOLINTNEXTLINE(readability-non-const-parameter): the reader writes it */
               char ret_error[ARGS_ERROR_MAX])
{
	struct args args = { .given = calloc(count_room(n, argv), sizeof(struct args_given)),
		             .words = calloc(n + 1, sizeof(char *)) };
	struct reader r = {
		.syntax = syntax, .argv = argv, .n = n, .args = &args, .error = ret_error
	};
	int q = args.given && args.words ? read_all(&r) : -ENOMEM;

	if (q != 0) {
		args_deinit(&args);
		return q;
	}
	*ret = args;
	return 0;
}

void args_deinit(struct args *args)
{
	free(args->given);
	free(args->words);
	*args = (struct args){ .given = NULL };
}

bool args_has(const struct args *args, const char *name)
{
	for (size_t i = 0; i < args->n_given; i++)
		if (strcmp(args->given[i].spec->name, name) == 0)
			return true;
	return false;
}

const char *args_value(const struct args *args, const char *name)
{
	const char *value = NULL;

	for (size_t i = 0; i < args->n_given; i++)
		if (strcmp(args->given[i].spec->name, name) == 0)
			value = args->given[i].value;
	return value;
}

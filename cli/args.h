/* SPDX-License-Identifier: MulanPSL-2.0 */
/*
 * Options as tables: what parses them also prints them (help) and completes them. Pure.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

struct option_spec {
	char letter;       /* -f, or 0 */
	const char *name;  /* "follow": --follow */
	const char *value; /* name of its value in the help, NULL when it takes none */
	const char *help;
};

struct option_table {
	const struct option_spec *specs;
	size_t n_specs;
};

/* What the command line may say. */
struct args_syntax {
	struct option_table own, common; /* searched in that order */
	bool is_verbatim; /* the first word ends the options: what follows is somebody else's */
};

struct args_given {
	const struct option_spec *spec;
	const char *value; /* borrowed from argv; NULL when the option takes none */
};

struct args {
	struct args_given *given; /* in order */
	size_t n_given;
	const char **words; /* what is no option, in order; borrowed from argv */
	size_t n_words;
};

#define ARGS_ERROR_MAX 160

/*
 * Parses argv[0..n). Options and words may be mixed; "--" ends the options; "-" is a word;
 * "--name=value", "--name value", "-nvalue", "-n value" and "-fq" are understood.
 * Returns 0 with *ret for args_deinit; ARGS_BAD with *ret_error saying why; -ENOMEM.
 */
enum { ARGS_BAD = 1 };
int args_parse(const struct args_syntax *syntax, size_t n, const char *const argv[],
               struct args *ret, char ret_error[ARGS_ERROR_MAX]);
void args_deinit(struct args *args);

/* Whether that option was given; its last value, or NULL. */
bool args_has(const struct args *args, const char *name);
const char *args_value(const struct args *args, const char *name);

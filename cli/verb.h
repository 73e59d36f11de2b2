/* SPDX-License-Identifier: MulanPSL-2.0 */
/*
 * A verb of cci as data: what parses it, runs it, explains it and completes it. One file per verb
 * defines one of these; verbs.c lists them.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "cli/args.h"

struct cci;

enum verb_group { VERB_GROUP_JOBS, VERB_GROUP_HOSTS, VERB_GROUP_OTHER, _VERB_GROUP_MAX };

/* What the words of a verb are, for completion. */
enum verb_words { VERB_WORDS_NONE, VERB_WORDS_FILE, VERB_WORDS_JOB, VERB_WORDS_HOST };

struct verb {
	const char *name;
	const char *words;   /* "FILE|- [KEY=VALUE...]" for the usage line; "" when none */
	const char *summary; /* one line, begins with a small letter, no full stop */
	const char *details; /* the verb's help: each line a paragraph, or kept as it is when it
	                        begins with a space */
	struct option_table options;
	enum verb_group group;
	enum verb_words completes;
	size_t min_words, max_words; /* max_words 0: none; SIZE_MAX: any number */
	bool is_verbatim;            /* the first word ends the options (run) */
	int (*run)(struct cci *cci, const struct args *args); /* returns an enum cci_exit */
};

extern const struct verb *const verb_table[];
extern const size_t verb_count;

/* Options that every verb has, and those of the program alone (before the verb). */
extern const struct option_table verb_common_options;
extern const struct option_table verb_program_options;

/* The verb of that name, or NULL. */
const struct verb *verb_find(const char *name);

/* The verb whose name is nearest to a mistyped one, or NULL when none is near. */
const struct verb *verb_guess(const char *name);

/* For a verb of later versions: what it will do. NULL for any other name. */
const char *verb_later(const char *name);

/* SPDX-License-Identifier: MulanPSL-2.0 */
/*
 * What the command line of ccid asks for.
 */
#pragma once

#include <stdbool.h>

enum options_verb {
	OPTIONS_RUN,          /* the daemon */
	OPTIONS_CHECK,        /* read the configuration, say what is wrong, exit */
	OPTIONS_PRINT_CONFIG, /* the configuration with all defaults on stdout */
	OPTIONS_BACKUP,       /* copy the store of a running daemon to a file */
	OPTIONS_WORKER,       /* a worker process; started by the daemon only */
	OPTIONS_POWER,        /* the process for power commands; likewise */
	OPTIONS_HELP,
	OPTIONS_VERSION,
};

struct options {
	enum options_verb verb;
	const char *config; /* path; borrowed from argv or constant */
	const char *backup; /* OPTIONS_BACKUP: where to */
	bool debug;         /* log packets too */
};

/*
 * Parses argv. Returns 0, or OPTIONS_BAD after one line on stderr that says what is wrong.
 */
enum { OPTIONS_BAD = 1 };
int options_parse(int argc, char *argv[], struct options *ret);

/* The text of --help. */
extern const char options_help[];

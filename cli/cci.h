/* SPDX-License-Identifier: MulanPSL-2.0 */
/*
 * What a running verb has at hand, and how it speaks to the user. A verb returns an enum cci_exit;
 * what goes wrong is said on stderr where it happens, once.
 */
#pragma once

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>

#include "cli/client.h"
#include "cli/config.h"
#include "cli/exit_status.h"
#include "cli/format_table.h"
#include "lib/base/buffer.h"

struct terminal {
	bool is_out, is_err; /* stdout, stderr are terminals */
	bool has_out_colour; /* stdout takes colours */
	bool is_utf8;        /* the locale's characters are UTF-8 */
	size_t out_width;    /* columns; 0 when stdout is no terminal */
};

struct cci {
	struct config config;
	struct client *client;
	struct terminal terminal;
	bool is_json;
};

/* Looks at the descriptors and the environment (NO_COLOR, TERM, COLUMNS, LC_ALL, LC_CTYPE, LANG).
 */
void cci_find_terminal(struct terminal *ret);

/* "cci: ..." on stderr. */
void cci_say(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* Says what went wrong with the command line; returns CCI_EXIT_USAGE. */
int cci_usage(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* Says that memory or the like is short (-errno); returns CCI_EXIT_INFRA. */
int cci_trouble(const char *what, int error);

/*
 * Writes what was built to stdout and empties it. Returns CCI_EXIT_PASS, or CCI_EXIT_INFRA when it
 * could not be written (a reader that went away is not worth a word).
 */
int cci_print(struct buffer *out);

/* Writes a table to stdout as wide as the terminal allows, and deinits it. */
int cci_print_table(const struct cci *cci, struct format_table *table);

/* Writes a JSON document to stdout: indented on a terminal, one line otherwise. */
int cci_print_json(const struct cci *cci, const json_t *document);

/*
 * Says why a call failed, given its outcome and answer; what was tried is "cancel lab1.3" or "".
 * Returns the exit status for it.
 */
int cci_refused(const struct cci *cci, const char *what, int outcome,
                const struct client_answer *answer);

/*
 * Performs a call whose answer is JSON. Returns CCI_EXIT_PASS with *ret for json_decref, or the
 * status after having said what went wrong.
 */
int cci_call_json(struct cci *cci, const char *what, const struct client_call *call, json_t **ret);

/* As cci_call_json, for GET of a path. */
int cci_get_json(struct cci *cci, const char *what, const char *path, json_t **ret);

/*
 * "/v1/jobs/<id><rest>" with the id escaped, in malloc'ed memory. id may be a pasted URL. NULL when
 * memory is short.
 */
char *cci_job_path(const char *id, const char *rest);

/* The same for "/v1/hosts/<name><rest>". */
char *cci_host_path(const char *name, const char *rest);

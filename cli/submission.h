/* SPDX-License-Identifier: MulanPSL-2.0 */
/*
 * Handing in a job, once, even when the answer gets lost.
 */
#pragma once

#include <jansson.h>

#include "cli/cci.h"
#include "lib/doc/document.h"

/* A job on its way. */
struct submission {
	json_t *job;          /* what is sent; owned */
	struct document *doc; /* where it came from, for line numbers; owned; may be NULL */
	const char *name;     /* of that file; borrowed */
};

#define SUBMISSION_NULL ((struct submission){ .job = NULL })

void submission_deinit(struct submission *submission);

/*
 * Reads a job from a file, or from stdin when path is "-". Returns CCI_EXIT_PASS with *ret for
 * submission_deinit, or the status after having said why not.
 */
int submission_read(const char *path, struct submission *ret);

/* Applies key=value words. Returns CCI_EXIT_PASS, or CCI_EXIT_USAGE after having said why. */
int submission_assign(struct submission *submission, const char *const words[], size_t n_words);

/* Prints what would be sent, as indented JSON. Returns the status. */
int submission_print(const struct submission *submission);

/*
 * Sends it with an Idempotency-Key; as long as an answer may have been lost it is sent again, which
 * the key makes safe. Returns CCI_EXIT_PASS with *ret_answer for json_decref (it has an "id"), or
 * the status after having said why not.
 */
int submission_send(struct cci *cci, const struct submission *submission, json_t **ret_answer);

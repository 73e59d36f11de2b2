/* SPDX-License-Identifier: MulanPSL-2.0 */
/*
 * What job.c and job_derive.c, the two halves of job_parse, share.
 */
#pragma once

#include "lib/doc/job.h"

#define JOB_NAME_MAX 128

/* Fills *error: "job.FIELD: " and the words. Returns JOB_BAD. */
int job_bad(struct job_error *error, const char *field, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

/* The value of a field, borrowed; NULL when it is absent or null. */
json_t *job_get(const struct job *job, const char *key);

/* Sets a field of the document. Returns 0 or -ENOMEM. */
int job_set_text(struct job *job, const char *key, const char *text);

/* Fills in what follows from the fields that job.c has read. Returns 0, JOB_BAD or -ENOMEM. */
int job_derive(struct job *job, struct job_error *error);

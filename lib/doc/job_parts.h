/* SPDX-License-Identifier: MulanPSL-2.0 */
/*
 * What the parts of job_parse (job.c, job_text.c, job_kernel.c, job_derive.c) share.
 */
#pragma once

#include "lib/doc/job.h"

#define JOB_NAME_MAX 128
#define JOB_TEXT_MAX 4096 /* a kernel takes 2 KiB to 4 KiB of command line */

/* Whether s has no control character and at most JOB_TEXT_MAX bytes; without spaces: is ASCII. */
bool job_is_printable(struct slice s, bool spaces);

/* Fills *error: "job.FIELD: " and the words. Returns JOB_BAD. */
int job_bad(struct job_error *error, const char *field, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

/* The value of a field, borrowed; NULL when it is absent or null. */
json_t *job_get(const struct job *job, const char *key);

/* Sets a field of the document. Returns 0 or -ENOMEM. */
int job_set_text(struct job *job, const char *key, const char *text);

/* Reads the fields that are texts. An empty text counts as absent. Returns 0, JOB_BAD or -ENOMEM.
 */
int job_read_texts(struct job *job, struct job_error *error);

/*
 * kernel_custom_params, our kernel_params (a text; the array is made by servers) and boot_params,
 * joined into job->kernel_params. Returns 0, JOB_BAD or -ENOMEM.
 */
int job_read_kernel_params(struct job *job, struct job_error *error);

/* Fills in what follows from the fields that were read. Returns 0, JOB_BAD or -ENOMEM. */
int job_derive(struct job *job, struct job_error *error);

/* memory_minimum, disk, need_tags, subqueue. Returns 0, JOB_BAD or -ENOMEM. */
int job_read_needs(struct job *job, struct job_error *error);

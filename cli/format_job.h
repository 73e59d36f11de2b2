/* SPDX-License-Identifier: MulanPSL-2.0 */
/*
 * Jobs and hosts in words. Pure.
 */
#pragma once

#include <jansson.h>

#include "cli/format_table.h"
#include "lib/base/usec.h"

/* One word for where a job stands: its verdict when it is finished, else its state; and its style.
 * Borrowed. */
const char *format_job_word(const json_t *job, enum style *ret_style);

/* Appends "fail (crash)", "error: no kernel", "pass, but not all results arrived". */
void format_job_outcome(struct buffer *out, const json_t *job);

/* How long a job has been there, or took: "2m10s". Nothing when its times are not readable. */
void format_job_age(struct buffer *out, const json_t *job, usec_t now_wall);

/* Rows of `cci ps` for an array of jobs. `now_wall` makes ages. The table is for deinit. */
void format_jobs(struct format_table *table, const json_t *jobs, usec_t now_wall);

/* Rows of `cci hosts`. */
void format_hosts(struct format_table *table, const json_t *hosts, usec_t now_wall);

/* Rows of `cci show`: key and value, then a table of attempts is separate (format_attempts). */
void format_job_details(struct format_table *table, const json_t *job, usec_t now_wall);

/* Rows of a job's attempts. */
void format_attempts(struct format_table *table, const json_t *job);

/* Rows of `cci host`. */
void format_host_details(struct format_table *table, const json_t *host, usec_t now_wall);

/* Rows of `cci result`: the array "files". */
void format_files(struct format_table *table, const json_t *files);

/* SPDX-License-Identifier: MulanPSL-2.0 */
/*
 * The text of job.sh: the job's fields as shell variables and its functions, in a shape that every
 * generation of Compass-CI's client can source or run.
 */
#pragma once

#include <jansson.h>

#include "lib/base/buffer.h"

/*
 * Appends job.sh for the fields of a dispatched job (an object; `script` or `job2sh` give run_job):
 *
 *   export_top_env              exports every field that is a scalar or a list and a valid name
 *   check_set_var, read_job_vars [NAME...]   set the same variables (or those named), not exported
 *   define_files                exports an empty define_files, unless job2sh brings its own
 *   run_job, on_fail, ...       from job2sh, verbatim (spec of Compass-CI 5, F8), or from script
 *   "$@"                        so that `job.sh run_job` runs a function and sourcing is harmless
 *
 * Values arrive byte for byte: numbers bare, all else single-quoted; a `$` in a value is not
 * expanded. Lists are joined by newlines, nested ones flattened; maps, null and empty values are
 * left out, and so are `script`, my_token and secrets. Runs under dash and bash.
 *
 * Errors show in out->failed.
 */
void job_script_build(struct buffer *out, const json_t *fields);

/* Appends text as one word of sh: bare when it needs no quotes, else single-quoted. */
void job_script_quote(struct buffer *out, struct slice text);

/* SPDX-License-Identifier: MulanPSL-2.0 */
/*
 * key=value on the command line, put into a job. Pure.
 */
#pragma once

#include <jansson.h>

#define ASSIGN_ERROR_MAX 280

/*
 * Sets document[key] as "key=value" says; a dotted key descends into mappings, which are made where
 * there is nothing ("pp.sleep.runtime=5"). The value is a decimal integer, true or false when it
 * looks like one; a YAML or JSON list, mapping or quoted text when it begins with [ { or "; else
 * the text it is. "key=" takes the key away (and is no mistake when there is none).
 * Returns 0, ASSIGN_BAD with ret_error saying why, or -ENOMEM.
 */
enum { ASSIGN_BAD = 1 };
int assign_apply(json_t *document, const char *assignment, char ret_error[ASSIGN_ERROR_MAX]);

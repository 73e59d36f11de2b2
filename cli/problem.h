/* SPDX-License-Identifier: MulanPSL-2.0 */
/*
 * What a server's refusal means to the user (application/problem+json, RFC 9457). Pure.
 */
#pragma once

#include <jansson.h>

#include "lib/base/buffer.h"

/*
 * Parses the body of an answer that was no success; NULL when it is no JSON object. The caller
 * decrefs it.
 */
json_t *problem_parse(struct slice body);

/* The job's field that the server complains about ("testbox", "pp.sleep"), or "". Borrowed. */
const char *problem_field(const json_t *problem);

/*
 * Appends one line without newline: "testbox: no such host or group (HTTP 400)". problem may be
 * NULL: then the first line of body, or the status alone, says it. Further complaints of the member
 * "errors" follow on lines of their own, indented by two spaces.
 */
void problem_describe(struct buffer *out, long status, const json_t *problem, struct slice body);

/* What the user can do about that status, or NULL when nothing is better than the text itself. */
const char *problem_advice(long status);

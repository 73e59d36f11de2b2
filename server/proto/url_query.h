/* SPDX-License-Identifier: MulanPSL-2.0 */
/*
 * Pairs of a query string or of a form-encoded body. Tolerant, as the shell scripts of test
 * machines need it: they send raw '/', ':' and '=' in values, and empty pairs. Nothing here
 * refuses; what a value may be is decided by who uses it.
 */
#pragma once

#include "lib/base/bytes.h"

/*
 * Takes the next pair off *rest: text up to '&' or the end, cut at its first '='. Pairs without a
 * key and a value (as in "a=1&&b=2") are skipped. Both are raw views into *rest.
 * Returns whether there was a pair.
 */
bool url_query_next(struct slice *rest, struct slice *ret_key, struct slice *ret_value);

/*
 * Appends the decoded form: '+' is a space, %HH a byte (NUL too), a '%' that begins no escape stays
 * as it is. What does not fit sets overflow of `out`.
 */
void url_query_decode(struct slice raw, struct bytes *out);

/*
 * Looks for the first pair with that key (compared decoded) and appends its decoded value.
 * Returns 0, or URL_QUERY_ABSENT, or URL_QUERY_TOO_LONG when the value does not fit; `out` is as
 * before then. Cost: O(query).
 */
enum { URL_QUERY_ABSENT = 1, URL_QUERY_TOO_LONG = 2 };
int url_query_find(struct slice query, const char *key, struct bytes *out);

/* SPDX-License-Identifier: MulanPSL-2.0 */
/*
 * Dates of HTTP (RFC 9110 section 5.6.7). The locale and the time zone of the process do not
 * matter.
 */
#pragma once

#include <stdint.h>

#include "lib/base/bytes.h"

#define HTTP_DATE_MAX 32 /* "Sun, 06 Nov 1994 08:49:37 GMT" and a NUL */

/* Writes the preferred form of `seconds` since 1970 (the years 1970 to 9999; others are brought to
 * the nearer end). Returns `to`. */
const char *http_date_format(int64_t seconds, char to[HTTP_DATE_MAX]);

/*
 * Reads any of the three forms. `now` (seconds since 1970) settles the century of two-digit years.
 * Returns 0 with *ret, seconds since 1970, or HTTP_DATE_BAD.
 */
enum { HTTP_DATE_BAD = 1 };
int http_date_parse(struct slice text, int64_t now, int64_t *ret);

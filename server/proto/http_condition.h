/* SPDX-License-Identifier: MulanPSL-2.0 */
/*
 * Validators of files and the conditions a GET makes on them (RFC 9110 sections 8.8 and 13).
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "lib/base/bytes.h"

#define HTTP_ETAG_MAX 64

/* Writes the strong entity tag of a file, quotes included, from what changes when its content does.
 * Returns `to`. */
const char *http_etag_format(uint64_t inode, uint64_t size, int64_t mtime_ns,
                             char to[HTTP_ETAG_MAX]);

/* What a request asks; empty slices for absent headers. */
struct http_conditions {
	struct slice if_none_match, if_modified_since, if_range;
};

/*
 * Whether to answer 304 instead of the content. If-None-Match ("*" or a list, compared weakly)
 * stands over If-Modified-Since. mtime and now: seconds since 1970.
 */
bool http_condition_is_unmodified(const struct http_conditions *conditions, const char *etag,
                                  int64_t mtime, int64_t now);

/*
 * Whether a Range header counts: there is no If-Range, or it names this very content (the strong
 * tag, or exactly the date of modification).
 */
bool http_condition_range_counts(const struct http_conditions *conditions, const char *etag,
                                 int64_t mtime, int64_t now);

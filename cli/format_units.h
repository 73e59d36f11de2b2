/* SPDX-License-Identifier: MulanPSL-2.0 */
/*
 * Durations, sizes and points in time, as people read them.
 */
#pragma once

#include <stdint.h>

#include "lib/base/buffer.h"
#include "lib/base/bytes.h"
#include "lib/base/usec.h"

/* "0.42s", "4.2s", "42s", "3m12s", "2h05m", "3d4h": two numbers at most. */
void format_duration(struct buffer *out, usec_t duration);

/* "512 B", "1.5 kB", "52 MB": powers of 1000, as network and disk makers count. */
void format_size(struct buffer *out, uint64_t bytes);

/* "12.3 MB/s" from bytes and the time they took; "-" when that is no number. */
void format_rate(struct buffer *out, uint64_t bytes, usec_t duration);

/*
 * Parses an RFC 3339 date-time (`2024-05-06T07:08:09.25Z`, or with an offset) into microseconds
 * since 1970. Finer digits than microseconds are cut, a leap second counts as the next second.
 * Returns 0, or FORMAT_BAD_TIME for anything else and for years before 1970.
 */
enum { FORMAT_BAD_TIME = 1 };
int format_parse_time(struct slice text, usec_t *ret_wall);

/* SPDX-License-Identifier: MulanPSL-2.0 */
/*
 * Amounts as people write them: bytes with K, M, G, T (powers of 1024), spans of time with us, ms,
 * s, m, h, d.
 */
#pragma once

#include <stdint.h>

#include "lib/base/bytes.h"
#include "lib/base/usec.h"

enum { SIZE_BAD = 1 };

/*
 * "512", "10G", "1.5" is not: a whole number and at most one unit letter of either case, which may
 * be followed by "iB" or "B". Returns 0 or SIZE_BAD (also when it does not fit 64 bits).
 */
int size_parse(struct slice text, uint64_t *ret_bytes);

/*
 * "45s", "2m", "1440h", "500ms"; a bare number is seconds. Returns 0 or SIZE_BAD.
 */
int duration_parse(struct slice text, usec_t *ret);

#define SIZE_TEXT_MAX 24

/* The shortest exact form that size_parse reads: 10737418240 → "10G". Returns `to`. */
const char *size_format(uint64_t bytes, char to[SIZE_TEXT_MAX]);

/* The shortest exact form that duration_parse reads: 5184000000000 → "60d". Returns `to`. */
const char *duration_format(usec_t span, char to[SIZE_TEXT_MAX]);

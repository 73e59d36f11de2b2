/* SPDX-License-Identifier: MulanPSL-2.0 */
/*
 * Amounts of bytes as people write them, with K, M, G, T as powers of 1024.
 */
#pragma once

#include <stdint.h>

#include "lib/base/bytes.h"

enum { SIZE_BAD = 1 };

/*
 * "512", "10G", "1.5" is not: a whole number and at most one unit letter of either case, which may
 * be followed by "iB" or "B". Returns 0 or SIZE_BAD (also when it does not fit 64 bits).
 */
int size_parse(struct slice text, uint64_t *ret_bytes);

#define SIZE_TEXT_MAX 24

/* The shortest exact form that size_parse reads: 10737418240 → "10G". Returns `to`. */
const char *size_format(uint64_t bytes, char to[SIZE_TEXT_MAX]);

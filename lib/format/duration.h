/* SPDX-License-Identifier: MulanPSL-2.0 */
/*
 * Lengths of time as people write them: 45s, 2m, 1440h, 250ms.
 */
#pragma once

#include "lib/base/bytes.h"
#include "lib/base/usec.h"

enum { DURATION_BAD = 1 };

#define DURATION_TEXT_MAX 24 /* 20 digits, a unit, a NUL */

/*
 * Parses one decimal number and a unit (us ms s m h d w); without a unit it is seconds.
 * Returns 0 and sets *ret, or DURATION_BAD when it is something else or too long for usec_t.
 */
int duration_parse(struct slice text, usec_t *ret);

/* Writes it in the largest of us, ms, s, m, h that loses nothing, so that 1440h stays what people
 * of DHCP write; `infinity` for USEC_INFINITY. Returns `to`. */
const char *duration_format(usec_t duration, char to[DURATION_TEXT_MAX]);

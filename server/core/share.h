/* SPDX-License-Identifier: MulanPSL-2.0 */
/*
 * What a submitter has had of the lab lately: machine time that fades.
 */
#pragma once

#include <stdint.h>

#include "lib/base/usec.h"

/* After this long, what somebody has had counts half. */
#define SHARE_HALF_LIFE (6 * 60 * USEC_PER_MINUTE)

/* What is left of `used` after that long; within a half-life it falls on a straight line. Pure. */
uint64_t share_fade(uint64_t used, usec_t elapsed);

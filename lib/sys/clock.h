/* SPDX-License-Identifier: MulanPSL-2.0 */
/*
 * The two clocks. Deadlines use the monotonic one, which counts suspend; people and disks the wall.
 */
#pragma once

#include <stddef.h>

#include "lib/base/usec.h"

/* CLOCK_BOOTTIME in microseconds. */
usec_t clock_now(void);

/* CLOCK_REALTIME in microseconds since 1970. */
usec_t clock_wall(void);

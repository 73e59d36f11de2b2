/* SPDX-License-Identifier: MulanPSL-2.0 */
/*
 * The one word of sd_notify(3) we need, without libsystemd.
 */
#pragma once

#include "lib/base/usec.h"

/* Asks PID 1 for that much more time from now (EXTEND_TIMEOUT_USEC=). Not under systemd: nothing.
 */
void notify_extend(usec_t time);

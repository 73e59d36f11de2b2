/* SPDX-License-Identifier: MulanPSL-2.0 */
/*
 * The one event loop of a process: libevent's base with the clock our engines use.
 */
#pragma once

#include "lib/base/usec.h"

struct event_base;
struct event;

/* Makes the loop's base; NULL when memory is short. event_base_free ends it. */
struct event_base *loop_new(void);

/* Arms (or re-arms) a timer event for the monotonic `deadline`; USEC_INFINITY disarms it. */
void loop_set_timer(struct event *timer, usec_t deadline);

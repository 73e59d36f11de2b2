/* SPDX-License-Identifier: MulanPSL-2.0 */
/*
 * The one event loop of a process: libevent's base with the clock our engines use.
 */
#pragma once

#include "lib/base/usec.h"

struct event_base;
struct event;

/* Makes the loop's base; NULL when memory is short. */
struct event_base *loop_new(void);

/* Ends it; the events on it must be gone. NULL is fine. */
void loop_free(struct event_base *base);

/* One turn: waits until something happens, and lets it be handled. Returns 0 or -EIO. */
int loop_turn(struct event_base *base);

typedef void (*loop_signal_fn)(int number, short what, void *userdata);

/* Calls fn, in the loop, when the signal has come. NULL when that is not possible. */
struct event *loop_watch_signal(struct event_base *base, int number, loop_signal_fn fn,
                                void *userdata);

/* No longer. NULL is fine. */
void loop_unwatch(struct event *watch);

/* Arms (or re-arms) a timer event for the monotonic `deadline`; USEC_INFINITY disarms it. */
void loop_set_timer(struct event *timer, usec_t deadline);

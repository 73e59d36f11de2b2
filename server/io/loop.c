/* SPDX-License-Identifier: MulanPSL-2.0 */
#include "server/io/loop.h"

#include <errno.h>
#include <event2/event.h>

#include "lib/sys/clock.h"

struct event_base *loop_new(void)
{
	return event_base_new();
}

void loop_free(struct event_base *base)
{
	if (base)
		event_base_free(base);
}

int loop_turn(struct event_base *base)
{
	return event_base_loop(base, EVLOOP_ONCE) < 0 ? -EIO : 0;
}

struct event *loop_watch_signal(struct event_base *base, int number, loop_signal_fn fn,
                                void *userdata)
{
	struct event *watch = evsignal_new(base, number, fn, userdata);

	if (watch && event_add(watch, NULL) < 0) {
		event_free(watch);
		return NULL;
	}
	return watch;
}

void loop_unwatch(struct event *watch)
{
	if (watch)
		event_free(watch);
}

void loop_set_timer(struct event *timer, usec_t deadline)
{
	usec_t wait;
	struct timeval tv;

	if (deadline == USEC_INFINITY) {
		(void)event_del(timer); /* fails only for an event that was never made */
		return;
	}
	wait = usec_sub(deadline, clock_now());
	tv.tv_sec = (time_t)(wait / USEC_PER_SEC);
	tv.tv_usec = (suseconds_t)(wait % USEC_PER_SEC);
	(void)event_add(timer,
	                &tv); /* fails only for lack of memory; the next turn arms it again */
}

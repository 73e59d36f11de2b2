/* SPDX-License-Identifier: MulanPSL-2.0 */
#include "server/io/loop.h"

#include <event2/event.h>

#include "lib/sys/clock.h"

struct event_base *loop_new(void)
{
	return event_base_new();
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

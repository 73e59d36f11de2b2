/* SPDX-License-Identifier: MulanPSL-2.0 */
#include "lib/sys/clock.h"

#include <assert.h>
#include <time.h>

static usec_t read_clock(clockid_t id)
{
	struct timespec ts;
	int r = clock_gettime(id, &ts);

	assert(r == 0); /* both clocks exist on every kernel we run on */
	return (usec_t)ts.tv_sec * USEC_PER_SEC + (usec_t)ts.tv_nsec / 1000;
}

usec_t clock_now(void)
{
	return read_clock(CLOCK_BOOTTIME);
}

usec_t clock_wall(void)
{
	return read_clock(CLOCK_REALTIME);
}

/* SPDX-License-Identifier: MulanPSL-2.0 */
/*
 * The table of a host's moves.
 */
#include "server/core/host_machine.h"

#include "lib/base/macro.h"
#include "lib/base/table.h"

static const char *const states[_HOST_STATE_MAX] = {
	[HOST_UNKNOWN] = "unknown",   [HOST_NETBOOT] = "netboot", [HOST_IDLE_POLL] = "idle_poll",
	[HOST_ASSIGNED] = "assigned", [HOST_BOOTING] = "booting", [HOST_BUSY] = "busy",
	[HOST_CLEANING] = "cleaning",
};

static const char *const events[_HOST_EVENT_MAX] = {
	[HOST_EVENT_SEEN] = "seen",       [HOST_EVENT_HOLD] = "hold",
	[HOST_EVENT_DROP] = "drop",       [HOST_EVENT_CLAIM] = "claim",
	[HOST_EVENT_KERNEL] = "kernel",   [HOST_EVENT_HELLO] = "hello",
	[HOST_EVENT_RELEASE] = "release",
};

static const char *const flags[HOST_N_FLAGS] = {
	"discovered", "drain",       "quarantine", "maintenance",
	"file",       "needs_check", "reserved",   "broken",
};

static const struct machine_move moves[] = {
	{ MACHINE_ANY, HOST_EVENT_SEEN, HOST_NETBOOT },
	{ HOST_UNKNOWN, HOST_EVENT_HOLD, HOST_IDLE_POLL },
	{ HOST_NETBOOT, HOST_EVENT_HOLD, HOST_IDLE_POLL },
	{ HOST_CLEANING, HOST_EVENT_HOLD, HOST_IDLE_POLL },
	{ HOST_IDLE_POLL, HOST_EVENT_DROP, HOST_NETBOOT },
	{ HOST_UNKNOWN, HOST_EVENT_CLAIM, HOST_ASSIGNED },
	{ HOST_NETBOOT, HOST_EVENT_CLAIM, HOST_ASSIGNED },
	{ HOST_IDLE_POLL, HOST_EVENT_CLAIM, HOST_ASSIGNED },
	{ HOST_CLEANING, HOST_EVENT_CLAIM, HOST_ASSIGNED },
	{ HOST_ASSIGNED, HOST_EVENT_KERNEL, HOST_BOOTING },
	{ HOST_ASSIGNED, HOST_EVENT_HELLO, HOST_BUSY },
	{ HOST_BOOTING, HOST_EVENT_HELLO, HOST_BUSY },
	{ HOST_NETBOOT, HOST_EVENT_HELLO, HOST_BUSY },
	{ HOST_ASSIGNED, HOST_EVENT_RELEASE, HOST_CLEANING },
	{ HOST_BOOTING, HOST_EVENT_RELEASE, HOST_CLEANING },
	{ HOST_BUSY, HOST_EVENT_RELEASE, HOST_CLEANING },
};

static bool is_final(int state)
{
	(void)state;
	return false;
}

const struct machine host_machine = {
	.name = "host",
	.state_names = states,
	.n_states = ARRAY_SIZE(states),
	.event_names = events,
	.n_events = ARRAY_SIZE(events),
	.moves = moves,
	.n_moves = ARRAY_SIZE(moves),
	.is_final = is_final,
};

DEFINE_NAME_TABLE(host_state, states);

const char *host_flag_to_name(int bit)
{
	const char *name = table_name(flags, ARRAY_SIZE(flags), bit);

	return name ? name : "?";
}

unsigned host_flag_from_name(struct slice name)
{
	int bit = table_value(flags, ARRAY_SIZE(flags), name);

	return bit < 0 ? 0 : 1U << bit;
}

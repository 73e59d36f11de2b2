/* SPDX-License-Identifier: MulanPSL-2.0 */
/*
 * Where a host is in its round (boot, wait, work, clean) and the flags that say what it may be
 * given: two things, never one flat list (state-machines.md 2.6).
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "lib/base/bytes.h"
#include "lib/base/machine.h"

enum host_state {
	HOST_UNKNOWN,   /* registered, never seen */
	HOST_NETBOOT,   /* its firmware or iPXE was seen */
	HOST_IDLE_POLL, /* asks for a job and is held */
	HOST_ASSIGNED,  /* was offered an attempt */
	HOST_BOOTING,   /* has the kernel */
	HOST_BUSY,      /* its agent works */
	HOST_CLEANING,  /* the attempt is over; it has not come back yet */
	_HOST_STATE_MAX,
};

enum host_event {
	HOST_EVENT_SEEN, /* a new boot */
	HOST_EVENT_HOLD,
	HOST_EVENT_DROP, /* the held request went away */
	HOST_EVENT_CLAIM,
	HOST_EVENT_KERNEL,
	HOST_EVENT_HELLO,
	HOST_EVENT_RELEASE, /* its attempt ended */
	_HOST_EVENT_MAX,
};

/* No state is final. */
extern const struct machine host_machine;

const char *host_state_to_name(int value);
int host_state_from_name(struct slice name);

/* Bits of a host's flags. */
enum host_flag {
	HOST_FLAG_DISCOVERED = 1 << 0, /* registered by itself: gets only jobs that name it */
	HOST_FLAG_DRAIN = 1 << 1,
	HOST_FLAG_QUARANTINE = 1 << 2,
	HOST_FLAG_MAINTENANCE = 1 << 3,
	HOST_FLAG_FILE = 1 << 4,        /* defined by a file of hosts.d: read-only over the API */
	HOST_FLAG_NEEDS_CHECK = 1 << 5, /* infrastructure failed there: a health job goes first */
	HOST_FLAG_RESERVED = 1 << 6,    /* somebody has it for himself until a moment */
	HOST_FLAG_BROKEN = 1 << 7,      /* its power was cycled, and it did not come back */
};
#define HOST_N_FLAGS 8

/* Name of the flag with that bit number (0 .. HOST_N_FLAGS-1): "discovered" and so on. */
const char *host_flag_to_name(int bit);

/* The flag of that name, or 0. */
unsigned host_flag_from_name(struct slice name);

/* What a job is for. */
enum job_kind {
	JOB_KIND_USER,
	JOB_KIND_HEALTH, /* shows whether a host is in order */
	_JOB_KIND_MAX,
};

/*
 * S8: whether flags keep every job of that kind away. Drain, quarantine and maintenance bar a
 * user's job, and so does a check that is due; a health job is kept away only where people are at
 * work (drain, maintenance), or have to come first (broken).
 */
static inline bool host_flags_bar(unsigned flags, enum job_kind kind)
{
	if (kind == JOB_KIND_HEALTH)
		return (flags & (HOST_FLAG_DRAIN | HOST_FLAG_MAINTENANCE | HOST_FLAG_BROKEN)) != 0;
	return (flags & (HOST_FLAG_DRAIN | HOST_FLAG_QUARANTINE | HOST_FLAG_MAINTENANCE |
	                 HOST_FLAG_NEEDS_CHECK | HOST_FLAG_BROKEN)) != 0;
}

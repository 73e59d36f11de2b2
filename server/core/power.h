/* SPDX-License-Identifier: MulanPSL-2.0 */
/*
 * When a host's power is switched: by a person, or because the machine passed a deadline and was
 * not heard of. Tries are bounded; what does not come back is broken (state-machines.md 2.6).
 */
#pragma once

#include <stdbool.h>

#include "lib/base/bytes.h"
#include "lib/base/usec.h"

enum power_action { POWER_ON, POWER_OFF, POWER_CYCLE, _POWER_ACTION_MAX };

/* "on", "off", "cycle"; the value, or -1. */
const char *power_action_to_name(int value);
int power_action_from_name(struct slice name);

enum power_phase {
	POWER_IDLE,    /* nothing is wanted */
	POWER_DUE,     /* `action` is to be done, at `at_steady` or later */
	POWER_RUNNING, /* it is being done */
	POWER_AWAITED, /* it was done: the machine is to be seen before `at_steady` */
	_POWER_PHASE_MAX,
};

/* "idle" and so on; the value, or -1. */
const char *power_phase_to_name(int value);
int power_phase_from_name(struct slice name);

/* So often a machine is cycled, or a command tried, before it is given up. */
#define POWER_TRIES 3

/* Between off and on of the last try, for capacitors and controllers to forget. */
#define POWER_OFF_TIME (10 * USEC_PER_SEC)

struct power {
	enum power_phase phase;
	enum power_action goal;   /* what is to come of it */
	enum power_action action; /* the next step there: a last cycle is off, then on */
	unsigned tries;           /* begun for this goal, the present one included */
	bool is_asked;            /* by a person: a machine that is heard of does not end it */
	usec_t at_steady;
};

enum power_event {
	POWER_EVENT_MISSED, /* the machine passed a deadline */
	POWER_EVENT_ASKED,  /* somebody wants `goal` */
	POWER_EVENT_TAKEN,  /* the action of POWER_DUE has begun */
	POWER_EVENT_DONE,   /* it went well */
	POWER_EVENT_FAILED, /* it went wrong */
	POWER_EVENT_SEEN,   /* the machine asked for a boot */
	POWER_EVENT_TIME,   /* at_steady is here */
	POWER_EVENT_LOST,   /* ccid began anew: nobody knows how the action ended */
	_POWER_EVENT_MAX,
};

struct power_facts {
	enum power_event event;
	enum power_action goal; /* with POWER_EVENT_ASKED */
	usec_t steady;
	usec_t wait;   /* how long the machine may take from power-on to its boot request */
	uint64_t seed; /* of the back-off's jitter: another one for each host */
};

enum {
	POWER_CHANGED = 1,
	POWER_GAVE_UP = 2,   /* a command that was only asked for failed each time */
	POWER_IS_BROKEN = 3, /* the machine was cycled POWER_TRIES times and did not come */
};

/*
 * Moves `power` on. Returns 0 when the event changes nothing, or one of the above; after the last
 * two nothing is wanted any more. Pre-empts nothing that runs: what is asked meanwhile follows it.
 * Pure; the same seed gives the same back-off.
 */
int power_decide(struct power *power, const struct power_facts *facts);

/* The pause before try number `tries` + 1: about 2, 8, 20 s; up to a quarter more, by seed. */
usec_t power_back_off(unsigned tries, uint64_t seed);

/* SPDX-License-Identifier: MulanPSL-2.0 */
/*
 * The states of an attempt: one try of a job on one host, from the offer in a boot script to its
 * end (state-machines.md 2.5).
 */
#pragma once

#include <stdbool.h>

#include "lib/base/bytes.h"
#include "lib/base/machine.h"

enum attempt_state {
	ATTEMPT_OFFERED,    /* the script was handed out */
	ATTEMPT_LOADING,    /* a file of it was asked for */
	ATTEMPT_BOOTING,    /* its kernel was served whole */
	ATTEMPT_SETUP,      /* the agent said hello and may run the job's code */
	ATTEMPT_RUNNING,    /* the job's program runs */
	ATTEMPT_REBOOTING,  /* the agent said that the machine goes down and comes back for more */
	ATTEMPT_CRASHED,    /* its kernel died; the kdump kernel sends what is left of it */
	ATTEMPT_UPLOADING,  /* the program has ended; results are on their way */
	ATTEMPT_CANCELLING, /* somebody does not want it any more; the agent is being told */
	ATTEMPT_DONE,       /* with a verdict */
	ATTEMPT_CANCELLED,
	ATTEMPT_TIMEOUT,    /* its program ran longer than it may */
	ATTEMPT_INFRA,      /* failed for a reason that is not the job's */
	ATTEMPT_LOST_OFFER, /* nobody fetched a file of the script */
	_ATTEMPT_STATE_MAX,
};

enum attempt_event {
	ATTEMPT_EVENT_LOAD,   /* a boot file was asked for */
	ATTEMPT_EVENT_KERNEL, /* the kernel was served whole */
	ATTEMPT_EVENT_HELLO,
	ATTEMPT_EVENT_RUN,
	ATTEMPT_EVENT_REBOOT,   /* announced by the agent */
	ATTEMPT_EVENT_CRASH,    /* a kdump kernel said hello */
	ATTEMPT_EVENT_POST,     /* the program ended */
	ATTEMPT_EVENT_FINISH,   /* the agent's last word, with a verdict */
	ATTEMPT_EVENT_CANCEL,   /* a user's wish */
	ATTEMPT_EVENT_DEADLINE, /* the state lasted longer than it may */
	ATTEMPT_EVENT_FAIL,     /* known to be broken: the host was reset, for instance */
	_ATTEMPT_EVENT_MAX,
};

/*
 * A report of a later stage implies the earlier ones, so hello, run, post and finish move from
 * every earlier state. A report of an earlier stage than the present one is refused by the table
 * and is nothing to complain about: it was late. A machine that announced its reboot is back only
 * with a hello of another kernel: whatever else comes in its name was said before it went down.
 *
 * A crash is an end by the job's code: fail with the cause crash, never infrastructure.
 */
extern const struct machine attempt_machine;

/* "offered" and so on. */
const char *attempt_state_to_name(int value);
int attempt_state_from_name(struct slice name);
const char *attempt_event_to_name(int value);

bool attempt_state_is_final(int state);

/* Whether the agent has been let in, so that the job's own code may be running. */
bool attempt_state_is_running(int state);

/* SPDX-License-Identifier: MulanPSL-2.0 */
/*
 * What a machine that asks "what do I boot?" is to be told, so that asking twice is harmless
 * (state-machines.md 2.7, interfaces.md 5).
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "lib/base/usec.h"
#include "server/core/attempt_machine.h"

struct boot_facts {
	int64_t session;       /* boot session the request carries; 0: none */
	int64_t lease_session; /* the one its lease has now; 0: no lease of ours */
	bool has_attempt;      /* an open attempt of this host, and then: */
	enum attempt_state state;
	int64_t attempt_session; /* boot session it was last served to; 0: none */
	usec_t silent;           /* since the last sign of life of its agent */
};

enum boot_answer {
	BOOT_ANSWER_TAKE, /* look for a job; hold when there is none */
	BOOT_ANSWER_SAME, /* the script of the open attempt, again */
	BOOT_ANSWER_WAIT, /* hold: the attempt is running, this request is an echo of its boot */
	_BOOT_ANSWER_MAX,
};

struct boot_decision {
	enum boot_answer answer;
	bool was_reset; /* first end the open attempt: its host was reset under it */
	bool rebind;    /* SAME: the attempt now belongs to the request's session */
};

/*
 * Decides.
 *
 * A request proves a reset of a running machine only when its session differs from the attempt's
 * and is the one our DHCP gave last; without a session only when the agent is silent past its
 * lease. An older session is an echo: it never resets and never rebinds.
 */
struct boot_decision boot_decide(const struct boot_facts *facts);

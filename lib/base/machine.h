/* SPDX-License-Identifier: MulanPSL-2.0 */
/*
 * A state machine as data: which events move it from which state to which. States and events are
 * small enums of the caller; the table is const; nothing here has effects.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

struct machine_move {
	int from;  /* a state, or MACHINE_ANY for every state that is not final */
	int event; /* of the caller's event enum */
	int to;    /* a state */
};

#define MACHINE_ANY (-1)

struct machine {
	const char *name;
	const char *const *state_names; /* indexed by state */
	size_t n_states;
	const char *const *event_names; /* indexed by event */
	size_t n_events;
	const struct machine_move *moves;
	size_t n_moves;
	bool (*is_final)(int state);
};

enum machine_outcome {
	MACHINE_MOVED = 0,
	MACHINE_REFUSED = 1, /* this event has no meaning in this state */
	MACHINE_FINAL = 2,   /* the state is final: nothing moves it any more */
};

/*
 * Where `event` leads from `state`. An exact move stands over a MACHINE_ANY move.
 * Returns a machine_outcome; *ret_state is written only when it moved.
 */
int machine_next(const struct machine *m, int state, int event, int *ret_state);

/* Checks the table itself: all numbers in range, no two moves for one (from, event), no move out of
 * a final state. For the test of each machine. */
bool machine_is_sound(const struct machine *m);

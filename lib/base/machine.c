/* SPDX-License-Identifier: MulanPSL-2.0 */
/*
 * Walks the tables of machine.h.
 */
#include "lib/base/machine.h"

static const struct machine_move *find_move(const struct machine *m, int from, int event)
{
	for (size_t i = 0; i < m->n_moves; i++)
		if (m->moves[i].from == from && m->moves[i].event == event)
			return &m->moves[i];
	return NULL;
}

int machine_next(const struct machine *m, int state, int event, int *ret_state)
{
	const struct machine_move *move;

	if (m->is_final(state))
		return MACHINE_FINAL;
	move = find_move(m, state, event);
	if (!move)
		move = find_move(m, MACHINE_ANY, event);
	if (!move)
		return MACHINE_REFUSED;
	*ret_state = move->to;
	return MACHINE_MOVED;
}

static bool move_is_sound(const struct machine *m, const struct machine_move *move)
{
	if (move->to < 0 || (size_t)move->to >= m->n_states)
		return false;
	if (move->event < 0 || (size_t)move->event >= m->n_events)
		return false;
	if (move->from == MACHINE_ANY)
		return find_move(m, MACHINE_ANY, move->event) == move;
	if (move->from < 0 || (size_t)move->from >= m->n_states || m->is_final(move->from))
		return false;
	return find_move(m, move->from, move->event) == move;
}

bool machine_is_sound(const struct machine *m)
{
	for (size_t i = 0; i < m->n_moves; i++)
		if (!move_is_sound(m, &m->moves[i]))
			return false;
	return true;
}

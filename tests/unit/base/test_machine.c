/* SPDX-License-Identifier: MulanPSL-2.0 */
#include "tests/support/test.h"

#include "lib/base/macro.h"
#include "lib/base/machine.h"

enum { IDLE, BUSY, DONE, N_STATES };
enum { START, FINISH, KILL, N_EVENTS };

static const char *const states[N_STATES] = { "idle", "busy", "done" };
static const char *const events[N_EVENTS] = { "start", "finish", "kill" };
static const struct machine_move moves[] = {
	{ IDLE, START, BUSY },
	{ BUSY, FINISH, DONE },
	{ MACHINE_ANY, KILL, DONE },
	{ IDLE, KILL, IDLE },
};

static bool is_done(int state)
{
	return state == DONE;
}

static const struct machine machine = { "lamp",   states, N_STATES,          events,
	                                N_EVENTS, moves,  ARRAY_SIZE(moves), is_done };

static void moves_as_the_table_says(void **state)
{
	int next = -1;

	assert_int_equal(machine_next(&machine, IDLE, START, &next), MACHINE_MOVED);
	assert_int_equal(next, BUSY);
	assert_int_equal(machine_next(&machine, IDLE, FINISH, &next), MACHINE_REFUSED);
	assert_int_equal(next, BUSY);
	assert_int_equal(machine_next(&machine, BUSY, KILL, &next), MACHINE_MOVED);
	assert_int_equal(next, DONE);
	assert_int_equal(machine_next(&machine, DONE, KILL, &next), MACHINE_FINAL);
}

static void an_exact_move_stands_over_any(void **state)
{
	int next = -1;

	assert_int_equal(machine_next(&machine, IDLE, KILL, &next), MACHINE_MOVED);
	assert_int_equal(next, IDLE);
}

static void soundness_finds_a_move_out_of_a_final_state(void **state)
{
	const struct machine_move wrong[] = { { DONE, START, IDLE } };
	const struct machine_move twice[] = { { IDLE, START, BUSY }, { IDLE, START, DONE } };
	struct machine bad = machine;

	assert_true(machine_is_sound(&machine));
	bad.moves = wrong;
	bad.n_moves = 1;
	assert_false(machine_is_sound(&bad));
	bad.moves = twice;
	bad.n_moves = 2;
	assert_false(machine_is_sound(&bad));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(moves_as_the_table_says),
		cmocka_unit_test(an_exact_move_stands_over_any),
		cmocka_unit_test(soundness_finds_a_move_out_of_a_final_state),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

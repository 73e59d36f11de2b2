/* SPDX-License-Identifier: MulanPSL-2.0 */
/*
 * docs/states.md says what each of Compass-CI's words means; core/compass_state does it. Every row
 * of its tables is asked.
 */
#include "tests/support/golden.h"

#include "lib/base/macro.h"
#include "lib/base/text.h"
#include "server/core/attempt_machine.h"
#include "server/core/compass_state.h"

#define CELLS_MAX 3

/* The cells of a row "| a | b | c |". Returns their number, 0 for a line that is no row. */
static size_t split_row(struct slice line, struct slice cells[CELLS_MAX])
{
	size_t n = 0;

	if (line.len == 0 || line.data[0] != '|')
		return 0;
	(void)slice_take(&line, 1);
	while (line.len > 0 && n < CELLS_MAX)
		cells[n++] = text_trim(slice_cut(&line, '|'));
	return n;
}

/* The state in which an attempt is after that event, asked of an offered one. */
static const char *state_after(enum attempt_event event)
{
	int state = ATTEMPT_OFFERED;

	assert_int_equal(machine_next(&attempt_machine, ATTEMPT_OFFERED, (int)event, &state),
	                 MACHINE_MOVED);
	return attempt_state_to_name(state);
}

static void check_stage(const struct compass_word *word, struct slice state)
{
	assert_true(word->moves);
	assert_slice_equal(state, state_after(word->event));
}

static void check_end(const struct compass_word *word, struct slice verdict, struct slice cause)
{
	assert_false(word->moves);
	assert_slice_equal(verdict, word->verdict ? job_verdict_to_name(word->verdict) : "");
	assert_slice_equal(cause, word->cause ? word->cause : "");
	assert_int_equal(word->is_infra, verdict.len == 0);
}

static void the_page_says_what_the_code_does(void **state)
{
	struct buffer page;
	struct slice rest, line, cells[CELLS_MAX];
	unsigned n_stages = 0, n_ends = 0;
	size_t columns = 0; /* of the table we are in, when it is one of words */

	golden_read("../../docs/states.md", &page);
	for (rest = buffer_slice(&page); rest.len > 0;) {
		const struct compass_word *word;
		size_t n;

		line = slice_cut(&rest, '\n');
		n = split_row(line, cells);
		if (n == 0 || text_equal(cells[0], "word") || cells[0].data[0] != '`') {
			columns = n > 0 && (text_equal(cells[0], "word") || columns > 0) ? n : 0;
			continue;
		}
		if (columns == 0)
			continue;
		cells[0] = slice_sub(cells[0], 1, cells[0].len - 2);
		word = compass_word_find(cells[0]);
		if (!word)
			fail_msg("docs/states.md: %.*s is no word", (int)cells[0].len,
			         (const char *)cells[0].data);
		else if (n == 2 && ++n_stages > 0)
			check_stage(word, cells[1]);
		else if (++n_ends > 0)
			check_end(word, cells[1], cells[2]);
	}
	assert_int_equal(n_stages, 8);
	assert_int_equal(n_ends, 28);
	buffer_deinit(&page);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_page_says_what_the_code_does),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

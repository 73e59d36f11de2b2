/* SPDX-License-Identifier: MulanPSL-2.0 */
/*
 * What the generator decides for a command line, and the units it makes of it. plan/lines are the
 * command lines; plan/plans is what became of each; plan/NAME.units the text of some units.
 */
#include "tests/support/golden.h"

#include "initramfs/plan.h"
#include "initramfs/plan_file.h"
#include "initramfs/print_plan.h"
#include "initramfs/units.h"
#include "lib/base/text.h"

static struct plan_facts parse_facts(struct slice text)
{
	struct plan_facts facts = { .networkd = false };

	while (text.len > 0) {
		struct slice fact = slice_cut(&text, ',');

		if (text_equal(fact, "networkd"))
			facts.networkd = true;
		else if (text_equal(fact, "shell"))
			facts.shell = true;
		else if (text_equal(fact, "https"))
			facts.https = true;
		else
			assert_true(text_equal(fact, "none"));
	}
	return facts;
}

static void append_units(const struct units *units, bool with_text, struct buffer *out)
{
	for (size_t i = 0; i < units->n_units; i++) {
		const struct unit *unit = &units->units[i];

		buffer_append_text(out, with_text ? "--- " : "unit ");
		buffer_append_text(out, unit->name);
		if (unit->is_link) {
			buffer_append_text(out, " -> ");
			buffer_append_slice(out, units_text(units, unit));
		}
		buffer_append_text(out, "\n");
		if (with_text && !unit->is_link)
			buffer_append_slice(out, units_text(units, unit));
	}
}

/* What is written is what is read. */
static void assert_same_file(const struct plan *plan, struct buffer *out)
{
	uint8_t room[PLAN_FILE_MAX], again_room[PLAN_FILE_MAX];
	struct bytes text = BYTES_ON(room), again = BYTES_ON(again_room);
	struct plan read;
	unsigned line;

	plan_write(plan, &text);
	assert_false(text.overflow);
	assert_int_equal(plan_read(bytes_slice(&text), &read, &line), 0);
	plan_write(&read, &again);
	assert_true(slice_equal(bytes_slice(&text), bytes_slice(&again)));
	buffer_append_slice(out, bytes_slice(&text));
}

/* What print-plan would say before the units; nothing for a refused line. */
static void append_steps(const struct plan *plan, struct buffer *out)
{
	uint8_t room[16384];
	struct bytes steps = BYTES_ON(room);

	print_plan_steps(plan, &steps);
	assert_false(steps.overflow);
	buffer_append_slice(out, bytes_slice(&steps));
}

static void add_case(struct slice name, const struct plan_facts *facts, struct slice line,
                     struct buffer *out)
{
	static struct units units;
	struct plan plan;
	bool with_text = name.len > 0 && name.data[0] == '*';
	char file[128];
	int r = plan_from_cmdline(line, facts, &plan);

	if (with_text)
		(void)slice_take(&name, 1);
	buffer_append_text(out, "\n== ");
	buffer_append_slice(out, name);
	buffer_append_text(out, "\n");
	if (r == PLAN_NOT_OURS) {
		buffer_append_text(out, plan_is_stray_initrd(line) ? "not ours; no root, rdinit=\n"
		                                                   : "not ours\n");
		assert_false(with_text);
		return;
	}
	assert_int_equal(r == PLAN_REFUSED, plan.refused[0] != '\0');
	assert_same_file(&plan, out);
	if (r == 0)
		append_steps(&plan, out);
	units_make(&plan, &units);
	append_units(&units, false, out);
	if (with_text) {
		struct buffer text = BUFFER_NULL;

		append_units(&units, true, &text);
		(void)snprintf(file, sizeof(file), "plan/%.*s.units", (int)name.len,
		               (const char *)name.data);
		golden_compare(file, buffer_slice(&text));
		buffer_deinit(&text);
	}
}

static void every_line_gets_its_plan(void **state)
{
	struct buffer lines, out = BUFFER_NULL;
	struct slice rest;
	unsigned n = 0;

	golden_read("plan/lines", &lines);
	rest = buffer_slice(&lines);
	while (rest.len > 0) {
		struct slice line = slice_cut(&rest, '\n');
		struct slice name, facts_text;
		struct plan_facts facts;

		if (line.len == 0 || line.data[0] == '#')
			continue;
		name = slice_cut(&line, ' ');
		facts_text = slice_cut(&line, ' ');
		facts = parse_facts(facts_text);
		add_case(name, &facts, line, &out);
		n++;
	}
	assert_true(n >= 80);
	golden_compare("plan/plans", buffer_slice(&out));
	buffer_deinit(&lines);
	buffer_deinit(&out);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_line_gets_its_plan),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

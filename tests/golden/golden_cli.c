/* SPDX-License-Identifier: MulanPSL-2.0 */
/*
 * What cci shows: help of everything, completion, tables at several widths, the timeline.
 */
#include "tests/support/golden.h"

#include "cli/completion.h"
#include "cli/format_event.h"
#include "cli/format_job.h"
#include "cli/format_timeline.h"
#include "cli/format_units.h"
#include "cli/help.h"
#include "lib/base/macro.h"

/* Compares with a file, and empties `out`. */
static void assert_golden(struct buffer *out, const char *name)
{
	assert_int_equal(buffer_error(out), 0);
	golden_compare(name, buffer_slice(out));
	buffer_deinit(out);
}

static json_t *load(const char *name, const char *member)
{
	struct buffer text;
	json_t *document, *array;

	golden_read(name, &text);
	document = json_loadb((const char *)text.data, text.len, 0, NULL);
	array = json_incref(json_object_get(document, member));
	assert_non_null(array);
	json_decref(document);
	buffer_deinit(&text);
	return array;
}

static usec_t noon(void)
{
	usec_t wall = 0;

	assert_int_equal(format_parse_time(SLICE_LITERAL("2024-05-06T07:09:30Z"), &wall), 0);
	return wall;
}

static void help_of_the_program_and_of_every_verb(void **state)
{
	struct buffer out = BUFFER_NULL;

	help_program(&out);
	for (size_t i = 0; i < verb_count; i++) {
		buffer_printf(&out, "\n=== %s\n", verb_table[i]->name);
		help_verb(&out, verb_table[i]);
	}
	assert_golden(&out, "cli/help.txt");
}

static void no_line_of_help_is_wider_than_a_terminal(void **state)
{
	struct buffer out = BUFFER_NULL;
	struct slice rest;

	help_program(&out);
	for (size_t i = 0; i < verb_count; i++)
		help_verb(&out, verb_table[i]);
	for (rest = buffer_slice(&out); rest.len > 0;)
		assert_in_range(slice_cut(&rest, '\n').len, 0, 81);
	buffer_deinit(&out);
}

static void completion_for_bash(void **state)
{
	struct buffer out = BUFFER_NULL;

	completion_write_bash(&out);
	assert_golden(&out, "../../packaging/completion/cci.bash");
}

static void add_table(struct buffer *out, struct format_table *table, size_t width, bool colour)
{
	buffer_printf(out, "--- width %zu%s\n", width, colour ? ", colour" : "");
	assert_int_equal(format_table_write(table, out, width, colour), 0);
	format_table_deinit(table);
}

static void tables_of_jobs(void **state)
{
	CLEANUP(json_decrefp) json_t *jobs = load("cli/jobs.json", "jobs");
	static const size_t widths[] = { 0, 80, 60 };
	struct buffer out = BUFFER_NULL;
	struct format_table table;

	for (size_t i = 0; i < ARRAY_SIZE(widths); i++) {
		format_jobs(&table, jobs, noon());
		add_table(&out, &table, widths[i], false);
	}
	format_jobs(&table, jobs, noon());
	add_table(&out, &table, 100, true);
	for (size_t i = 0; i < json_array_size(jobs); i++) {
		format_job_details(&table, json_array_get(jobs, i), noon());
		add_table(&out, &table, 0, false);
		format_job_outcome(&out, json_array_get(jobs, i));
		buffer_append_text(&out, "\n");
	}
	format_attempts(&table, json_array_get(jobs, 1));
	add_table(&out, &table, 0, false);
	assert_golden(&out, "cli/jobs.txt");
}

static void tables_of_hosts(void **state)
{
	CLEANUP(json_decrefp) json_t *hosts = load("cli/hosts.json", "hosts");
	struct buffer out = BUFFER_NULL;
	struct format_table table;

	format_hosts(&table, hosts, noon());
	add_table(&out, &table, 0, false);
	format_hosts(&table, hosts, noon());
	add_table(&out, &table, 80, true);
	for (size_t i = 0; i < json_array_size(hosts); i++) {
		format_host_details(&table, json_array_get(hosts, i), noon());
		add_table(&out, &table, 0, false);
	}
	assert_golden(&out, "cli/hosts.txt");
}

static void bars_of_a_boot(void **state)
{
	CLEANUP(json_decrefp) json_t *boot = load("cli/timeline.json", "boot");
	static const struct format_timeline_look looks[] = {
		{ .width = 0 },
		{ .width = 120, .is_utf8 = true },
		{ .width = 80 },
		{ .width = 20 },
		{ .width = 90, .is_utf8 = true, .has_colour = true },
	};
	struct buffer out = BUFFER_NULL;

	for (size_t i = 0; i < ARRAY_SIZE(looks); i++) {
		buffer_printf(&out, "--- width %zu\n", looks[i].width);
		assert_int_equal(format_timeline(&out, boot, &looks[i]), 0);
	}
	assert_golden(&out, "cli/timeline.txt");
}

static void a_boot_of_no_length_and_no_boot(void **state)
{
	CLEANUP(json_decrefp)
	json_t *one = json_loads("[{\"stage\":\"x\",\"start_ms\":5,\"end_ms\":5},{\"start_ms\":5}]",
	                         0, NULL);
	CLEANUP(json_decrefp) json_t *none = json_loads("[{},1,{\"start_ms\":\"x\"}]", 0, NULL);
	const struct format_timeline_look look = { .width = 80 };
	struct buffer out = BUFFER_NULL;

	assert_int_equal(format_timeline(&out, one, &look), 0);
	buffer_deinit(&out);
	assert_int_equal(format_timeline(&out, none, &look), FORMAT_TIMELINE_EMPTY);
	assert_int_equal(format_timeline(&out, NULL, &look), FORMAT_TIMELINE_EMPTY);
	assert_int_equal(out.len, 0);
}

static void events_as_stages_and_as_lines(void **state)
{
	CLEANUP(json_decrefp) json_t *events = load("cli/events.json", "events");
	struct buffer out = BUFFER_NULL;
	const json_t *event;
	usec_t begin;
	size_t i;

	assert_int_equal(format_parse_time(SLICE_LITERAL("2024-05-06T07:08:09Z"), &begin), 0);
	json_array_foreach(events, i, event)
	{
		if (!format_event_is_stage(event))
			continue;
		format_event_stage(&out, event, begin);
		buffer_append_text(&out, "\n");
	}
	json_array_foreach(events, i, event)
	{
		format_event_line(&out, event);
		buffer_append_text(&out, "\n");
	}
	assert_golden(&out, "cli/events.txt");
}

/* Fails unless the manual has a text, whose every '-' is written "\\-" there. */
static void assert_in_manual(const struct buffer *manual, const char *before, const char *text)
{
	struct buffer escaped = BUFFER_NULL;

	buffer_append_text(&escaped, before);
	for (const char *p = text; *p; p++)
		buffer_printf(&escaped, *p == '-' ? "\\%c" : "%c", *p);
	if (!strstr((const char *)manual->data, (const char *)escaped.data))
		fail_msg("man/cci.1 lacks %s", text);
	buffer_deinit(&escaped);
}

static void the_manual_has_every_verb_and_option(void **state)
{
	struct buffer manual;

	golden_read("../../man/cci.1", &manual);
	for (size_t i = 0; i < verb_count; i++) {
		const struct verb *verb = verb_table[i];

		assert_in_manual(&manual, "\n.B ", verb->name);
		for (size_t k = 0; k < verb->options.n_specs; k++)
			assert_in_manual(&manual, "\\-\\-", verb->options.specs[k].name);
	}
	buffer_deinit(&manual);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(help_of_the_program_and_of_every_verb),
		cmocka_unit_test(no_line_of_help_is_wider_than_a_terminal),
		cmocka_unit_test(completion_for_bash),
		cmocka_unit_test(tables_of_jobs),
		cmocka_unit_test(tables_of_hosts),
		cmocka_unit_test(bars_of_a_boot),
		cmocka_unit_test(a_boot_of_no_length_and_no_boot),
		cmocka_unit_test(events_as_stages_and_as_lines),
		cmocka_unit_test(the_manual_has_every_verb_and_option),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

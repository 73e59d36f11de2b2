/* SPDX-License-Identifier: MulanPSL-2.0 */
#include "cli/format_job.h"

#include <string.h>

#include "cli/exit_status.h"
#include "cli/field.h"
#include "cli/format_units.h"
#include "lib/base/macro.h"

static enum style style_of_job(const json_t *job)
{
	if (!exit_status_job_ended(job))
		return strcmp(field_text(job, "state"), "active") == 0 ? STYLE_WARN : STYLE_PLAIN;
	switch (exit_status_of_job(job)) {
	case CCI_EXIT_PASS:
		return STYLE_GOOD;
	case CCI_EXIT_CANCELLED:
		return STYLE_DIM;
	default:
		return STYLE_BAD;
	}
}

const char *format_job_word(const json_t *job, enum style *ret_style)
{
	const char *state = field_text(job, "state"), *verdict = field_text(job, "verdict");

	*ret_style = style_of_job(job);
	return strcmp(state, "finished") == 0 && verdict[0] ? verdict : state;
}

void format_job_outcome(struct buffer *out, const json_t *job)
{
	const char *cause = field_text(job, "cause"), *reason = field_text(job, "reason");
	enum style style;

	format_clean(out, format_job_word(job, &style));
	if (cause[0]) {
		buffer_append_text(out, " (");
		format_clean(out, cause);
		buffer_append_text(out, ")");
	}
	if (reason[0]) {
		buffer_append_text(out, ": ");
		format_clean(out, reason);
	}
	if (strcmp(field_text(job, "upload"), "incomplete") == 0)
		buffer_append_text(out, ", but not all results arrived");
}

/* Time between a moment in `text` and another. Returns false when it is no moment. */
static bool since(const char *text, usec_t to_wall, usec_t *ret)
{
	usec_t wall;

	if (format_parse_time(slice_from_text(text), &wall) != 0)
		return false;
	*ret = usec_sub(to_wall, wall);
	return true;
}

void format_job_age(struct buffer *out, const json_t *job, usec_t now_wall)
{
	usec_t end = now_wall, age;

	(void)format_parse_time(slice_from_text(field_text(job, "finished")), &end);
	if (since(field_text(job, "submitted"), end, &age))
		format_duration(out, age);
}

/* "12s ago" from a moment; the text itself when it is none. */
static void add_ago(struct format_table *table, const char *text, usec_t now_wall)
{
	struct buffer cell = BUFFER_NULL;
	usec_t age;

	buffer_append_text(&cell, "");
	if (since(text, now_wall, &age)) {
		format_duration(&cell, age);
		buffer_append_text(&cell, " ago");
	} else {
		buffer_append_text(&cell, text);
	}
	format_table_add_built(table, &cell, STYLE_PLAIN);
}

static void add_job(struct format_table *table, const json_t *job, usec_t now_wall)
{
	const char *host = field_text(job, "host"), *reason = field_text(job, "reason");
	const char *word;
	struct buffer age = BUFFER_NULL;
	enum style style;

	word = format_job_word(job, &style);
	format_table_add(table, field_text(job, "id"), STYLE_PLAIN);
	format_table_add(table, word, style);
	format_table_add(table, field_text(job, "suite"), STYLE_PLAIN);
	format_table_add(table, host[0] ? host : field_text(job, "testbox"),
	                 host[0] ? STYLE_PLAIN : STYLE_DIM);
	buffer_append_text(&age, "");
	format_job_age(&age, job, now_wall);
	format_table_add_built(table, &age, STYLE_PLAIN);
	format_table_add(table, reason[0] ? reason : field_text(job, "cause"), STYLE_PLAIN);
}

void format_jobs(struct format_table *table, const json_t *jobs, usec_t now_wall)
{
	static const struct format_column columns[] = {
		{ "ID" },
		{ "STATE" },
		{ "SUITE", .is_elastic = true },
		{ "HOST", .is_elastic = true },
		{ "TIME", .is_right = true },
		{ "REASON", .is_elastic = true },
	};
	const json_t *job;
	size_t i;

	format_table_init(table, columns, ARRAY_SIZE(columns));
	json_array_foreach(jobs, i, job)
	{
		add_job(table, job, now_wall);
	}
}

/* Texts of an array, separated by spaces; a plain text as it is. */
static void add_list(struct format_table *table, const json_t *list)
{
	struct buffer cell = BUFFER_NULL;
	const json_t *member;
	size_t i;

	buffer_append_text(&cell, json_is_string(list) ? json_string_value(list) : "");
	json_array_foreach(list, i, member)
	{
		const char *text = json_string_value(member);

		buffer_printf(&cell, "%s%s", i > 0 ? " " : "", text ? text : "?");
	}
	format_table_add_built(table, &cell, STYLE_PLAIN);
}

static enum style style_of_host(const json_t *host)
{
	const char *state = field_text(host, "state");

	if (json_is_false(json_object_get(host, "known")))
		return STYLE_WARN;
	if (strcmp(state, "BROKEN") == 0 || strcmp(state, "broken") == 0)
		return STYLE_BAD;
	return STYLE_PLAIN;
}

void format_hosts(struct format_table *table, const json_t *hosts, usec_t now_wall)
{
	static const struct format_column columns[] = {
		{ "NAME", .is_elastic = true },
		{ "STATE" },
		{ "JOB" },
		{ "ADDRESS" },
		{ "MAC", .is_elastic = true },
		{ "QUEUES", .is_elastic = true },
		{ "SEEN", .is_right = true },
		{ "FLAGS", .is_elastic = true },
	};
	const json_t *host;
	size_t i;

	format_table_init(table, columns, ARRAY_SIZE(columns));
	json_array_foreach(hosts, i, host)
	{
		format_table_add(table, field_text(host, "name"), STYLE_PLAIN);
		format_table_add(table, field_text(host, "state"), style_of_host(host));
		format_table_add(table, field_text(host, "job"), STYLE_PLAIN);
		format_table_add(table, field_text(host, "address"), STYLE_PLAIN);
		add_list(table, json_object_get(host, "macs"));
		add_list(table, json_object_get(host, "queues"));
		add_ago(table, field_text(host, "seen"), now_wall);
		add_list(table, json_object_get(host, "flags"));
	}
}

static const struct format_column detail_columns[] = { { NULL }, { NULL } };

static void add_detail(struct format_table *table, const json_t *object, const char *key)
{
	const char *text = field_text(object, key);

	if (!text[0])
		return;
	format_table_add(table, key, STYLE_HEAD);
	format_table_add(table, text, STYLE_PLAIN);
}

void format_job_details(struct format_table *table, const json_t *job, usec_t now_wall)
{
	static const char *const keys[] = { "cause",   "upload", "reason",    "suite",
		                            "testbox", "host",   "submitted", "finished" };
	struct buffer age = BUFFER_NULL;
	enum style style;

	format_table_init(table, detail_columns, ARRAY_SIZE(detail_columns));
	add_detail(table, job, "id");
	format_table_add(table, "state", STYLE_HEAD);
	format_table_add(table, field_text(job, "state"), STYLE_PLAIN);
	if (field_text(job, "verdict")[0]) {
		format_table_add(table, "verdict", STYLE_HEAD);
		format_table_add(table, format_job_word(job, &style), style_of_job(job));
	}
	for (size_t i = 0; i < ARRAY_SIZE(keys); i++)
		add_detail(table, job, keys[i]);
	buffer_append_text(&age, "");
	format_job_age(&age, job, now_wall);
	if (age.len > 0) {
		format_table_add(table, "time", STYLE_HEAD);
		format_table_add_built(table, &age, STYLE_PLAIN);
	}
	buffer_deinit(&age);
	add_detail(table, job, "result_root");
	if (strcmp(field_text(job, "results"), "there") != 0) {
		add_detail(table, job, "results");
		add_detail(table, job, "results_cause");
	}
	add_detail(table, job, "url");
}

/* An id that may be a number or a text. */
static void add_id(struct format_table *table, const json_t *object, const char *key)
{
	struct buffer cell = BUFFER_NULL;
	int64_t id = field_integer(object, key, -1);

	buffer_append_text(&cell, field_text(object, key));
	if (id >= 0)
		buffer_printf(&cell, "%lld", (long long)id);
	format_table_add_built(table, &cell, STYLE_PLAIN);
}

void format_attempts(struct format_table *table, const json_t *job)
{
	static const struct format_column columns[] = {
		{ "ATTEMPT" },
		{ "STATE" },
		{ "HOST" },
		{ "MAC" },
		{ "OFFERED" },
		{ "ENDED" },
		{ "CAUSE", .is_elastic = true },
	};
	static const char *const keys[] = { "state", "host", "mac", "offered", "ended", "cause" };
	const json_t *attempt;
	size_t i;

	format_table_init(table, columns, ARRAY_SIZE(columns));
	json_array_foreach(json_object_get(job, "attempts"), i, attempt)
	{
		add_id(table, attempt, "id");
		for (size_t k = 0; k < ARRAY_SIZE(keys); k++)
			format_table_add(table, field_text(attempt, keys[k]), STYLE_PLAIN);
	}
}

/* "idle", "awaited: cycle, try 2 (no_hello)", and what went wrong last. */
static void add_power(struct format_table *table, const json_t *power)
{
	const char *error = field_text(json_object_get(power, "last"), "error");
	char text[128];

	if (!json_is_object(power))
		return;
	if (field_text(power, "action")[0])
		(void)snprintf(text, sizeof(text), "%s: %s, try %lld (%s)",
		               field_text(power, "phase"), field_text(power, "action"),
		               json_integer_value(json_object_get(power, "tries")),
		               field_text(power, "cause"));
	else
		(void)snprintf(text, sizeof(text), "%s", field_text(power, "phase"));
	format_table_add(table, "power", STYLE_HEAD);
	format_table_add(table, text, STYLE_PLAIN);
	if (error[0]) {
		format_table_add(table, "power error", STYLE_HEAD);
		format_table_add(table, error, STYLE_BAD);
	}
}

void format_host_details(struct format_table *table, const json_t *host, usec_t now_wall)
{
	static const char *const lists[] = { "flags", "macs", "queues" };
	static const char *const keys[] = { "address", "arch", "job" };

	format_table_init(table, detail_columns, ARRAY_SIZE(detail_columns));
	add_detail(table, host, "name");
	format_table_add(table, "state", STYLE_HEAD);
	format_table_add(table, field_text(host, "state"), style_of_host(host));
	if (json_is_false(json_object_get(host, "known"))) {
		format_table_add(table, "known", STYLE_HEAD);
		format_table_add(table, "no: it was seen, but nobody described it", STYLE_WARN);
	}
	for (size_t i = 0; i < ARRAY_SIZE(lists); i++) {
		if (json_array_size(json_object_get(host, lists[i])) == 0)
			continue;
		format_table_add(table, lists[i], STYLE_HEAD);
		add_list(table, json_object_get(host, lists[i]));
	}
	for (size_t i = 0; i < ARRAY_SIZE(keys); i++)
		add_detail(table, host, keys[i]);
	add_power(table, json_object_get(host, "power"));
	if (field_text(host, "seen")[0]) {
		format_table_add(table, "seen", STYLE_HEAD);
		add_ago(table, field_text(host, "seen"), now_wall);
	}
}

void format_files(struct format_table *table, const json_t *files)
{
	static const struct format_column columns[] = {
		{ "SIZE", .is_right = true },
		{ "SHA256", .is_elastic = true },
		{ "NAME" },
	};
	const json_t *file;
	size_t i;

	format_table_init(table, columns, ARRAY_SIZE(columns));
	json_array_foreach(files, i, file)
	{
		struct buffer size = BUFFER_NULL;

		format_size(&size, (uint64_t)MAX(field_integer(file, "size", 0), (int64_t)0));
		format_table_add_built(table, &size, STYLE_PLAIN);
		format_table_add(table, field_text(file, "sha256"), STYLE_DIM);
		format_table_add(table, field_text(file, "name"), STYLE_PLAIN);
	}
}

/* SPDX-License-Identifier: MulanPSL-2.0 */
#include "cli/problem.h"

#include <string.h>

#include "cli/field.h"
#include "cli/format_text.h"
#include "lib/base/macro.h"
#include "lib/base/text.h"

#define LINE_WIDTH 200 /* of a body that is no problem document */

static const struct {
	long status;
	const char *meaning, *advice;
} known[] = {
	{ 400, "the request is wrong", NULL },
	{ 401, "a token is needed", "set CCI_TOKEN, or `token:` in ~/.config/cci/config.yaml" },
	{ 403, "not allowed", "ask who runs the lab for a token, or use one with more rights" },
	{ 404, "there is no such thing", NULL },
	{ 405, "this server cannot do that", "the server may be older than this cci" },
	{ 409, "not possible in this state", NULL },
	{ 413, "too large", NULL },
	{ 429, "too many requests", "wait a while and try again" },
	{ 500, "the server failed", "its log says why: journalctl -u ccid" },
	{ 501, "this server cannot do that", "the server may be older than this cci" },
	{ 503, "the server is overloaded or stopping", "try again in a while" },
	{ 507, "the server's disk is full", "tell who runs the lab" },
};

json_t *problem_parse(struct slice body)
{
	json_t *problem = json_loadb(body.data ? (const char *)body.data : "", body.len, 0, NULL);

	if (json_is_object(problem))
		return problem;
	json_decref(problem);
	return NULL;
}

const char *problem_field(const json_t *problem)
{
	const json_t *first = json_array_get(json_object_get(problem, "errors"), 0);
	const char *field = field_text(problem, "field");

	return field[0] ? field : field_text(first, "field");
}

static const char *meaning_of(long status)
{
	for (size_t i = 0; i < ARRAY_SIZE(known); i++)
		if (known[i].status == status)
			return known[i].meaning;
	return status >= 500 ? "the server failed" : "the server refused";
}

/* The first line of some text, cut. */
static void append_line(struct buffer *out, struct slice text)
{
	struct slice rest = text_trim(text), line = slice_cut(&rest, '\n');
	char *copy = text_dup(text_trim(line));

	if (copy)
		(void)format_cut(out, copy, LINE_WIDTH);
	free(copy);
}

/* Whether a text begins with "FIELD: " or "job.FIELD: ": then it need not be named again. */
static bool names_field(const char **detail, const char *field)
{
	const char *text = *detail;

	if (strncmp(text, "job.", 4) == 0)
		text += 4;
	if (strncmp(text, field, strlen(field)) != 0 || text[strlen(field)] != ':')
		return false;
	*detail = text;
	return true;
}

static void append_complaint(struct buffer *out, const json_t *complaint)
{
	const char *field = field_text(complaint, "field");
	const char *detail = field_text(complaint, "detail");

	if (field[0] && !names_field(&detail, field)) {
		format_clean(out, field);
		buffer_append_text(out, ": ");
	}
	format_clean(out, detail[0] ? detail : field_text(complaint, "title"));
}

void problem_describe(struct buffer *out, long status, const json_t *problem, struct slice body)
{
	const json_t *errors = json_object_get(problem, "errors"), *error;
	size_t i, before = out->len;

	if (problem)
		append_complaint(out, problem);
	else if (slice_find(body, '<', 0) != 0) /* not the page of some proxy */
		append_line(out, body);
	if (out->len == before)
		buffer_append_text(out, meaning_of(status));
	buffer_printf(out, " (HTTP %ld)", status);
	json_array_foreach(errors, i, error)
	{
		buffer_append_text(out, "\n  ");
		append_complaint(out, error);
	}
}

const char *problem_advice(long status)
{
	for (size_t i = 0; i < ARRAY_SIZE(known); i++)
		if (known[i].status == status)
			return known[i].advice;
	return NULL;
}

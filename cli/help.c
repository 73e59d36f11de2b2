/* SPDX-License-Identifier: MulanPSL-2.0 */
#include "cli/help.h"

#include <stdlib.h>
#include <string.h>

#include "cli/format_table.h"
#include "lib/base/text.h"

static const char *const group_titles[_VERB_GROUP_MAX] = {
	[VERB_GROUP_JOBS] = "Jobs",
	[VERB_GROUP_HOSTS] = "Hosts and what happens on them",
	[VERB_GROUP_OTHER] = "Other",
};

static const char exit_text[] =
	"Exit status: 0 done, of a job: pass or skip; 1 the test failed; 2 infrastructure,\n"
	"error, expired or skipped; 3 timeout; 4 cancelled; 5 usage; 6 the server is out\n"
	"of reach; 130 interrupted while following (the job goes on). Of several jobs the\n"
	"highest.\n";

/* "-f, --follow" or "    --json", with the name of the value. */
static void append_option_names(struct buffer *out, const struct option_spec *spec)
{
	if (spec->letter)
		buffer_printf(out, "  -%c, --%s", spec->letter, spec->name);
	else
		buffer_printf(out, "      --%s", spec->name);
	if (spec->value)
		buffer_printf(out, " %s", spec->value);
}

#define HELP_COLUMN 28
#define HELP_WIDTH  80

/* Words of text from `column` on, broken before HELP_WIDTH. */
static void append_wrapped(struct buffer *out, const char *text, size_t column)
{
	size_t at = column;

	while (*text) {
		size_t len = strcspn(text, " ");

		if (at > column && at + 1 + len > HELP_WIDTH) {
			buffer_append_text(out, "\n");
			format_spaces(out, column);
			at = column;
		} else if (at > column) {
			buffer_append_text(out, " ");
			at++;
		}
		buffer_append(out, text, len);
		at += len;
		text += len + (text[len] == ' ');
	}
	buffer_append_text(out, "\n");
}

/* Paragraphs of a verb's details. */
static void append_details(struct buffer *out, const char *details)
{
	struct slice rest = slice_from_text(details);

	while (rest.len > 0) {
		struct slice line = slice_cut(&rest, '\n');
		char *text = text_dup(line);

		if (!text)
			out->failed = true;
		else if (text[0] == ' ')
			buffer_printf(out, "%s\n", text);
		else
			append_wrapped(out, text, 0);
		free(text);
	}
}

static void append_item(struct buffer *out, size_t begin, const char *help)
{
	size_t width = out->len - begin;

	if (width + 2 > HELP_COLUMN) {
		buffer_append_text(out, "\n");
		width = 0;
	}
	format_spaces(out, HELP_COLUMN - width);
	append_wrapped(out, help, HELP_COLUMN);
}

static void append_options(struct buffer *out, const char *title, const struct option_table *table)
{
	if (table->n_specs == 0)
		return;
	if (title)
		buffer_printf(out, "\n%s:\n", title);
	for (size_t i = 0; i < table->n_specs; i++) {
		size_t begin = out->len;

		append_option_names(out, &table->specs[i]);
		append_item(out, begin, table->specs[i].help);
	}
}

void help_usage(struct buffer *out, const struct verb *verb)
{
	buffer_printf(out, "usage: cci %s [OPTION...]%s%s\n", verb->name, verb->words[0] ? " " : "",
	              verb->words);
}

void help_verb(struct buffer *out, const struct verb *verb)
{
	help_usage(out, verb);
	buffer_printf(out, "\n%c%s.\n\n", verb->summary[0] - 'a' + 'A', verb->summary + 1);
	append_details(out, verb->details);
	append_options(out, "Options", &verb->options);
	append_options(out, "Common options", &verb_common_options);
	buffer_printf(out, "\n%s", exit_text);
}

void help_program(struct buffer *out)
{
	buffer_append_text(out, "usage: cci [OPTION...] VERB [ARGUMENT...]\n"
	                        "\nHands jobs to a lab's server, follows them, fetches their "
	                        "results.\n");
	for (int group = 0; group < _VERB_GROUP_MAX; group++) {
		buffer_printf(out, "\n%s:\n", group_titles[group]);
		for (size_t i = 0; i < verb_count; i++) {
			const struct verb *verb = verb_table[i];
			size_t begin = out->len;

			if ((int)verb->group != group)
				continue;
			buffer_printf(out, "  %s %s", verb->name, verb->words);
			append_item(out, begin, verb->summary);
		}
	}
	append_options(out, "Options", &verb_common_options);
	append_options(out, NULL, &verb_program_options);
	buffer_printf(out, "\n`cci VERB --help` explains a verb; cci(1) is the manual.\n\n%s",
	              exit_text);
}

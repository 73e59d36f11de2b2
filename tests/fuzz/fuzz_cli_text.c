/* SPDX-License-Identifier: MulanPSL-2.0 */
/*
 * Texts of users and servers that cci reads: the first byte chooses the reader.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "cli/assign.h"
#include "cli/config.h"
#include "cli/format_event.h"
#include "cli/format_job.h"
#include "cli/format_text.h"
#include "cli/format_timeline.h"
#include "cli/format_units.h"
#include "cli/problem.h"
#include "cli/url.h"
#include "lib/base/macro.h"
#include "lib/base/text.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* No byte of a terminal's control sequences may be left; newlines are ours. */
static void check_clean(const struct buffer *out)
{
	for (size_t i = 0; i < out->len; i++)
		if ((out->data[i] < 0x20 && out->data[i] != '\n') || out->data[i] == 0x7f ||
		    (out->data[i] == 0xc2 && i + 1 < out->len && out->data[i + 1] < 0xa0))
			abort();
}

static void read_text(const char *text, struct buffer *out)
{
	char url[URL_MAX];
	usec_t wall;
	size_t width;

	format_clean(out, text);
	if (out->len > 0 && format_width((const char *)out->data) != format_width(text))
		abort();
	buffer_append_text(out, "\n");
	width = format_cut(out, text, 7);
	if (width > 7)
		abort();
	(void)format_parse_time(slice_from_text(text), &wall);
	if (url_normalise(text, url) == 0 && strncmp(url, "http", 4) != 0)
		abort();
}

static void read_assignment(const char *text)
{
	CLEANUP(json_decrefp) json_t *job = json_loads("{\"a\":{\"b\":1},\"t\":\"x\"}", 0, NULL);
	CLEANUP(freep) char *dump = NULL;
	char error[ASSIGN_ERROR_MAX];

	if (assign_apply(job, text, error) < 0)
		return;
	dump = json_dumps(job, 0);
	if (!dump)
		abort();
}

static void read_config(struct slice text)
{
	CLEANUP(config_deinit) struct config config = CONFIG_NULL;
	char error[CONFIG_ERROR_MAX];

	(void)config_read(text, "file", &config, error);
}

/* What a server may send, whatever it be, is shown somehow. */
static void show_json(struct slice text, struct buffer *out)
{
	CLEANUP(json_decrefp)
	json_t *value = json_loadb((const char *)text.data, text.len, 0, NULL);
	const struct format_timeline_look look = { .width = 60 };
	struct format_table table;

	problem_describe(out, 400, json_is_object(value) ? value : NULL, text);
	(void)problem_field(value);
	if (!value)
		return;
	format_event_stage(out, value, 0);
	format_event_line(out, value);
	format_job_outcome(out, value);
	(void)format_timeline(out, value, &look);
	format_jobs(&table, value, 0);
	(void)format_table_write(&table, out, 60, false);
	format_table_deinit(&table);
	format_hosts(&table, value, 0);
	(void)format_table_write(&table, out, 60, false);
	format_table_deinit(&table);
	format_job_details(&table, value, 0);
	(void)format_table_write(&table, out, 0, false);
	format_table_deinit(&table);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct slice input = slice_make(data, size);
	struct buffer out = BUFFER_NULL;
	char *text;

	if (size == 0)
		return 0;
	(void)slice_take(&input, 1);
	text = text_dup(input);
	if (!text)
		return 0;
	switch (data[0] % 4) {
	case 0:
		read_text(text, &out);
		break;
	case 1:
		read_assignment(text);
		break;
	case 2:
		read_config(input);
		break;
	default:
		show_json(input, &out);
		break;
	}
	check_clean(&out);
	buffer_deinit(&out);
	free(text);
	return 0;
}

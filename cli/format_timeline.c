/* SPDX-License-Identifier: MulanPSL-2.0 */
/*
 * Columns: label, bar between two '|', then start, seconds, size and rate, right-aligned.
 */
#include "cli/format_timeline.h"

#include <errno.h>
#include <string.h>

#include "cli/field.h"
#include "cli/format_text.h"
#include "cli/format_units.h"
#include "lib/base/macro.h"

#define LABEL_MAX   34 /* a stage and the name of a file */
#define LABEL_MIN   16
#define BAR_MIN     10
#define BEGIN_WIDTH 7 /* "12h05m" and a space */
#define TIME_WIDTH  8
#define BYTES_WIDTH 8  /* "999 kB" */
#define RATE_WIDTH  13 /* "12345.6 MB/s" */
#define NUMBERS     (BEGIN_WIDTH + TIME_WIDTH + BYTES_WIDTH + RATE_WIDTH)

/* What all rows share. */
struct axis {
	double begin_ms, end_ms;
	size_t label_width, bar_width;
	const struct format_timeline_look *look;
};

/* One row, in milliseconds as the server counts them. */
struct row {
	const json_t *stage, *fields;
	double start_ms, end_ms;
	bool is_open;
};

static bool read_row(const json_t *stage, struct row *ret)
{
	const json_t *end = json_object_get(stage, "end_ms");

	if (!json_is_number(json_object_get(stage, "start_ms")))
		return false;
	ret->stage = stage;
	ret->fields = json_object_get(stage, "fields");
	ret->start_ms = field_real(stage, "start_ms", 0);
	ret->is_open = !json_is_number(end);
	ret->end_ms = MAX(field_real(stage, "end_ms", ret->start_ms), ret->start_ms);
	return true;
}

/* Other stages carry fields of the event that opened them, be that the end of a transfer. */
static bool is_transfer(const struct row *row)
{
	const char *stage = field_text(row->stage, "stage");

	return strcmp(stage, "file") == 0 || strcmp(stage, "tftp") == 0;
}

/* "file vmlinuz": the stage and the last component of what it is about. */
static void build_label(struct buffer *out, const struct row *row)
{
	const char *file = is_transfer(row) ? field_text(row->fields, "file") : "";
	const char *slash = strrchr(file, '/');

	format_clean(out, field_text(row->stage, "stage"));
	if (file[0] != '\0') {
		buffer_append_text(out, " ");
		format_clean(out, slash && slash[1] ? slash + 1 : file);
	}
}

static size_t measure_label(const struct row *row)
{
	struct buffer label = BUFFER_NULL;
	size_t width;

	buffer_append_text(&label, "");
	build_label(&label, row);
	width = label.data ? format_width((const char *)label.data) : 0;
	buffer_deinit(&label);
	return width;
}

static bool measure(struct axis *axis, const json_t *stages)
{
	struct row row;
	bool is_empty = true;
	const json_t *stage;
	size_t i, most, width = axis->look->width ? axis->look->width : FORMAT_TIMELINE_WIDTH;

	axis->label_width = strlen("STAGE");
	json_array_foreach(stages, i, stage)
	{
		if (!read_row(stage, &row))
			continue;
		axis->begin_ms = is_empty ? row.start_ms : MIN(axis->begin_ms, row.start_ms);
		axis->end_ms = is_empty ? row.end_ms : MAX(axis->end_ms, row.end_ms);
		axis->label_width = MAX(axis->label_width, measure_label(&row));
		is_empty = false;
	}
	most = MAX(width / 3, (size_t)LABEL_MIN);
	most = MIN(most, (size_t)LABEL_MAX);
	axis->label_width = MIN(axis->label_width, most);
	axis->bar_width = BAR_MIN;
	if (width > axis->label_width + NUMBERS + BAR_MIN + 3)
		axis->bar_width = width - axis->label_width - NUMBERS - 3;
	return !is_empty;
}

/* Appends built text at the right of `width` columns, and empties it. */
static void append_right(struct buffer *out, struct buffer *text, size_t width)
{
	size_t len = MIN(text->len, width);

	format_spaces(out, width - len);
	buffer_append(out, text->data, text->len);
	text->len = 0;
}

/* Cell of a point in time: 0..bar_width. */
static double cell_of(const struct axis *axis, double ms)
{
	double span = axis->end_ms - axis->begin_ms;

	return span > 0 ? (ms - axis->begin_ms) / span * (double)axis->bar_width : 0;
}

static void write_bar(struct buffer *out, const struct axis *axis, const struct row *row)
{
	size_t first = (size_t)cell_of(axis, row->start_ms);
	double end = row->is_open ? (double)axis->bar_width : cell_of(axis, row->end_ms);
	size_t last = (size_t)end + (end > (double)(size_t)end); /* rounded up */
	const char *cell = axis->look->is_utf8 ? "\xe2\x96\x88" : "#";

	first = MIN(first, axis->bar_width - 1);
	last = MAX(last, first + 1);
	last = MIN(last, axis->bar_width);
	buffer_append_text(out, "|");
	format_spaces(out, first);
	format_style_begin(out, STYLE_GOOD, axis->look->has_colour);
	for (size_t i = first; i < last; i++)
		buffer_append_text(out, row->is_open && i + 1 == last ? ">" : cell);
	format_style_end(out, STYLE_GOOD, axis->look->has_colour);
	format_spaces(out, axis->bar_width - last);
	buffer_append_text(out, "|");
}

/* A boot is compared with another by its tenths: two digits behind the point, up to a minute. */
static void build_seconds(struct buffer *out, double ms)
{
	if (ms < 60000)
		buffer_printf(out, "%.2fs", ms / 1000);
	else
		format_duration(out, (usec_t)(ms * 1000));
}

static void write_numbers(struct buffer *out, const struct axis *axis, const struct row *row)
{
	struct buffer text = BUFFER_NULL;
	int64_t bytes = is_transfer(row) ? field_integer(row->fields, "bytes", -1) : -1;
	usec_t duration = (usec_t)((row->end_ms - row->start_ms) * 1000);

	build_seconds(&text, row->start_ms - axis->begin_ms);
	append_right(out, &text, BEGIN_WIDTH);
	if (row->is_open)
		buffer_append_text(&text, "open");
	else
		build_seconds(&text, row->end_ms - row->start_ms);
	append_right(out, &text, TIME_WIDTH);
	if (bytes >= 0) {
		format_size(&text, (uint64_t)bytes);
		append_right(out, &text, BYTES_WIDTH);
		format_rate(&text, (uint64_t)bytes, duration);
		append_right(out, &text, RATE_WIDTH);
	}
	buffer_deinit(&text);
}

static void write_row(struct buffer *out, const struct axis *axis, const struct row *row)
{
	struct buffer label = BUFFER_NULL;
	size_t width;

	buffer_append_text(&label, "");
	build_label(&label, row);
	width = format_cut(out, label.data ? (const char *)label.data : "", axis->label_width);
	buffer_deinit(&label);
	format_spaces(out, axis->label_width - width + 1);
	write_bar(out, axis, row);
	write_numbers(out, axis, row);
	buffer_append_text(out, "\n");
}

/* Below the bars: where and why the initramfs ended the boot. */
static void write_failure(struct buffer *out, const struct axis *axis, const struct row *row)
{
	const char *cause = field_text(row->fields, "cause");

	if (strcmp(field_text(row->stage, "stage"), "initramfs") != 0 || cause[0] == '\0')
		return;
	format_style_begin(out, STYLE_BAD, axis->look->has_colour);
	buffer_append_text(out, "failed in ");
	format_clean(out, field_text(row->fields, "step"));
	buffer_append_text(out, ", ");
	format_clean(out, cause);
	format_style_end(out, STYLE_BAD, axis->look->has_colour);
	buffer_append_text(out, ": ");
	format_clean(out, field_text(row->fields, "detail"));
	buffer_append_text(out, "\n");
}

/* The names of the columns, with the length of the axis at the end of the bars. */
static void write_head(struct buffer *out, const struct axis *axis)
{
	struct buffer span = BUFFER_NULL;

	format_style_begin(out, STYLE_HEAD, axis->look->has_colour);
	buffer_append_text(out, "STAGE");
	format_spaces(out, axis->label_width - strlen("STAGE") + 2);
	buffer_append_text(out, "0s");
	build_seconds(&span, axis->end_ms - axis->begin_ms);
	append_right(out, &span, axis->bar_width - 2);
	buffer_deinit(&span);
	buffer_printf(out, " %*s%*s%*s%*s", BEGIN_WIDTH, "START", TIME_WIDTH, "SECONDS",
	              BYTES_WIDTH, "SIZE", RATE_WIDTH, "RATE");
	format_style_end(out, STYLE_HEAD, axis->look->has_colour);
	buffer_append_text(out, "\n");
}

int format_timeline(struct buffer *out, const json_t *stages,
                    const struct format_timeline_look *look)
{
	struct axis axis = { .look = look };
	struct row row;
	const json_t *stage;
	size_t i;

	if (!measure(&axis, stages))
		return FORMAT_TIMELINE_EMPTY;
	write_head(out, &axis);
	json_array_foreach(stages, i, stage)
	{
		if (read_row(stage, &row))
			write_row(out, &axis, &row);
	}
	json_array_foreach(stages, i, stage)
	{
		if (read_row(stage, &row))
			write_failure(out, &axis, &row);
	}
	return buffer_error(out);
}

/* SPDX-License-Identifier: MulanPSL-2.0 */
#include "cli/format_table.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "lib/base/macro.h"
#include "lib/base/text.h"

#define GAP         2  /* columns of space between two of the table's */
#define ELASTIC_MIN 8  /* an elastic column keeps this much: less tells nothing */
#define COLUMNS_MAX 16 /* no table of ours is wider */

struct format_cell {
	char *text;
	enum style style;
};

void format_table_init(struct format_table *table, const struct format_column *columns,
                       size_t n_columns)
{
	assert(n_columns > 0 && n_columns <= COLUMNS_MAX);
	*table = (struct format_table){ .columns = columns, .n_columns = n_columns };
}

void format_table_deinit(struct format_table *table)
{
	for (size_t i = 0; i < table->n_cells; i++)
		free(table->cells[i].text);
	free(table->cells);
	*table = (struct format_table){ .columns = table->columns, .n_columns = table->n_columns };
}

static bool make_room(struct format_table *table)
{
	size_t n = table->n_allocated ? table->n_allocated * 2 : 64;
	struct format_cell *cells;

	if (table->n_cells < table->n_allocated)
		return true;
	cells = reallocarray(table->cells, n, sizeof(*cells));
	if (!cells)
		return false;
	table->cells = cells;
	table->n_allocated = n;
	return true;
}

void format_table_add(struct format_table *table, const char *text, enum style style)
{
	struct buffer clean = BUFFER_NULL;

	if (table->failed)
		return;
	buffer_append_text(&clean, "");
	format_clean(&clean, text ? text : "");
	if (buffer_error(&clean) < 0 || !make_room(table)) {
		buffer_deinit(&clean);
		table->failed = true;
		return;
	}
	table->cells[table->n_cells++] =
		(struct format_cell){ .text = (char *)clean.data, .style = style };
}

void format_table_add_built(struct format_table *table, struct buffer *text, enum style style)
{
	if (buffer_error(text) < 0)
		table->failed = true;
	format_table_add(table, (const char *)text->data, style);
	buffer_deinit(text);
}

/* Natural width of each column. */
static void measure(const struct format_table *table, size_t widths[COLUMNS_MAX])
{
	assert(table->n_columns > 0);
	for (size_t c = 0; c < table->n_columns; c++)
		widths[c] = table->columns[0].title ? format_width(table->columns[c].title) : 0;
	for (size_t i = 0; i < table->n_cells; i++) {
		size_t c = i % table->n_columns;

		widths[c] = MAX(widths[c], format_width(table->cells[i].text));
	}
}

/* Takes what is too much off the elastic columns, the widest first. */
static void shrink(const struct format_table *table, size_t widths[COLUMNS_MAX], size_t width)
{
	size_t total = GAP * (table->n_columns - 1);

	for (size_t c = 0; c < table->n_columns; c++)
		total += widths[c];
	while (total > width) {
		size_t widest = table->n_columns;

		for (size_t c = 0; c < table->n_columns; c++)
			if (table->columns[c].is_elastic && widths[c] > ELASTIC_MIN &&
			    (widest == table->n_columns || widths[c] > widths[widest]))
				widest = c;
		if (widest == table->n_columns)
			return; /* nothing gives way: the terminal wraps */
		widths[widest]--;
		total--;
	}
}

/* One cell with its padding; the last of a line gets none behind it. */
static void write_cell(struct buffer *out, const struct format_column *column,
                       const struct format_cell *cell, size_t width, bool is_last, bool has_colour)
{
	size_t pad = width - MIN(width, format_width(cell->text));

	if (column->is_right)
		format_spaces(out, pad);
	format_style_begin(out, cell->style, has_colour);
	(void)format_cut(out, cell->text, width);
	format_style_end(out, cell->style, has_colour);
	if (is_last)
		return;
	if (!column->is_right)
		format_spaces(out, pad);
	format_spaces(out, GAP);
}

/* A row of n cells; empty cells at its end are left away, so that no line ends in spaces. */
static void write_row(const struct format_table *table, struct buffer *out,
                      const struct format_cell *cells, size_t n, const size_t widths[],
                      bool has_colour)
{
	while (n > 0 && cells[n - 1].text[0] == '\0')
		n--;
	for (size_t c = 0; c < n; c++)
		write_cell(out, &table->columns[c], &cells[c], widths[c], c + 1 == n, has_colour);
	buffer_append_text(out, "\n");
}

static void write_head(const struct format_table *table, struct buffer *out, const size_t widths[],
                       bool has_colour)
{
	struct format_cell head[COLUMNS_MAX];

	for (size_t c = 0; c < table->n_columns; c++)
		head[c] = (struct format_cell){ .text = (char *)table->columns[c].title,
			                        .style = STYLE_HEAD };
	write_row(table, out, head, table->n_columns, widths, has_colour);
}

int format_table_write(const struct format_table *table, struct buffer *out, size_t width,
                       bool has_colour)
{
	size_t widths[COLUMNS_MAX];

	if (table->failed)
		return -ENOMEM;
	measure(table, widths);
	if (width > 0)
		shrink(table, widths, width);
	if (table->columns[0].title)
		write_head(table, out, widths, has_colour);
	for (size_t i = 0; i < table->n_cells; i += table->n_columns)
		write_row(table, out, table->cells + i, MIN(table->n_columns, table->n_cells - i),
		          widths, has_colour);
	return buffer_error(out);
}

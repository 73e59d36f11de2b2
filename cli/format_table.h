/* SPDX-License-Identifier: MulanPSL-2.0 */
/*
 * A table of text in columns.
 */
#pragma once

#include "cli/format_text.h"
#include "lib/base/buffer.h"

struct format_column {
	const char *title; /* NULL in the first column: a table without a head */
	bool is_right;     /* numbers stand at the right */
	bool is_elastic;   /* cut first when the table is wider than the terminal */
};

struct format_cell;

struct format_table {
	const struct format_column *columns;
	size_t n_columns;
	struct format_cell *cells; /* row by row */
	size_t n_cells, n_allocated;
	bool failed; /* out of memory: the table is not whole */
};

/* An empty table; columns are borrowed for its life. */
void format_table_init(struct format_table *table, const struct format_column *columns,
                       size_t n_columns);
void format_table_deinit(struct format_table *table);

/* Adds the next cell of the row, left to right; text is copied. NULL stands for "". */
void format_table_add(struct format_table *table, const char *text, enum style style);

/* As format_table_add; takes the bytes built so far in `text` and empties it. */
void format_table_add_built(struct format_table *table, struct buffer *text, enum style style);

/*
 * Appends the table: head, then rows, two spaces between columns, nothing after the last. A row
 * that lacks cells is written short. width is the terminal's (0: never cut anything).
 * Returns 0 or -ENOMEM.
 */
int format_table_write(const struct format_table *table, struct buffer *out, size_t width,
                       bool has_colour);

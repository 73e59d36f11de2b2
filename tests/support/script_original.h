/* SPDX-License-Identifier: MulanPSL-2.0 */
/*
 * Boot scripts held against Compass-CI's: golden files NAME.original are what the original writes,
 * NAME.ipxe is what ccid writes.
 */
#pragma once

#include "tests/support/services_world.h"

#include <sqlite3.h>

#include "lib/base/text.h"
#include "tests/support/golden.h"

/* The job's number, so that its id is the original's. */
static inline void original_next_job(struct world *w, int64_t number)
{
	static const char sql[] = "INSERT INTO sqlite_sequence (name, seq) VALUES ('jobs', :seq)";
	struct sqlite3_stmt *stmt;

	assert_int_equal(db_prepare(w->db, sql, &stmt), 0);
	db_bind_i64(stmt, ":seq", number - 1);
	assert_int_equal(db_run(w->db, stmt), 1);
}

/* The script without what we add to the original's, runs of spaces made one. */
static inline void original_form(struct slice script, struct buffer *out)
{
	while (script.len > 0) {
		struct slice line = slice_cut(&script, '\n');
		const struct slice way_back = SLICE_LITERAL(" || goto retry");
		const struct slice kernel = SLICE_LITERAL("kernel "),
				   own_key = SLICE_LITERAL(" cci.");

		if (text_equal(line, ":retry"))
			return;
		if (slice_has_prefix(line, SLICE_LITERAL("echo ")))
			continue;
		if (slice_has_suffix(line, way_back))
			line.len -= way_back.len;
		for (size_t i = line.len; slice_has_prefix(line, kernel) && i-- > 0;)
			if (slice_has_prefix(slice_sub(line, i, line.len), own_key))
				line.len = i; /* ours stand last */
		for (size_t i = 0; i < line.len; i++)
			if (line.data[i] != ' ' || (i > 0 && line.data[i - 1] != ' '))
				buffer_append(out, &line.data[i], 1);
		buffer_append_text(out, "\n");
	}
}

/* The same, of the original; both end with `boot`. */
static inline void original_assert(struct slice script, const char *name)
{
	struct buffer original = BUFFER_NULL, ours = BUFFER_NULL, theirs = BUFFER_NULL;

	golden_read(name, &original);
	original_form(script, &ours);
	original_form(buffer_slice(&original), &theirs);
	buffer_append_text(&theirs, "\n"); /* the empty line before our way back */
	buffer_append(&ours, "", 1);
	buffer_append(&theirs, "", 1);
	assert_string_equal((char *)ours.data, (char *)theirs.data);
	buffer_deinit(&original);
	buffer_deinit(&ours);
	buffer_deinit(&theirs);
}

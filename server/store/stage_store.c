/* SPDX-License-Identifier: MulanPSL-2.0 */
#include "server/store/stage_store.h"

#include <sqlite3.h>

#include "server/core/deadlines.h"

static const char sql_add[] = "INSERT INTO stages (host, os_mount, state, length)"
			      " VALUES (:host, :os_mount, :state, :length)";

static const char sql_forget[] =
	"DELETE FROM stages WHERE host = :host AND os_mount = :os_mount AND state = :state"
	" AND id <= (SELECT id FROM stages WHERE host = :host AND os_mount = :os_mount"
	" AND state = :state ORDER BY id DESC LIMIT 1 OFFSET :keep)";

static const char sql_count[] = "SELECT count(*) FROM stages WHERE host = :host"
				" AND os_mount = :os_mount AND state = :state";

static const char sql_longest[] =
	"SELECT length FROM stages WHERE host = :host AND os_mount = :os_mount AND state = :state"
	" ORDER BY length DESC LIMIT 1 OFFSET :skip";

/* Prepares a statement about stages of that kind. */
static int prepare(struct db *db, const char *sql, const struct attempt *attempt,
                   enum attempt_state state, struct sqlite3_stmt **ret)
{
	int r = db_prepare(db, sql, ret);

	if (r < 0)
		return r;
	db_bind_text(*ret, ":host", attempt->host);
	db_bind_text(*ret, ":os_mount", attempt->os_mount);
	db_bind_text(*ret, ":state", attempt_state_to_name(state));
	return 0;
}

int stage_store_add(struct db *db, const struct attempt *attempt, enum attempt_state state,
                    usec_t length)
{
	struct sqlite3_stmt *stmt;
	int r = prepare(db, sql_add, attempt, state, &stmt);

	if (r < 0)
		return r;
	db_bind_i64(stmt, ":length", (int64_t)length);
	r = db_run(db, stmt);
	if (r < 0)
		return r;
	r = prepare(db, sql_forget, attempt, state, &stmt);
	if (r < 0)
		return r;
	db_bind_i64(stmt, ":keep", DEADLINE_SAMPLES_MAX);
	r = db_run(db, stmt);
	return r < 0 ? r : 0;
}

/* The number in the one row of a statement that is bound; 0 without a row. */
static int read_number(struct db *db, struct sqlite3_stmt *stmt, int64_t *ret)
{
	int r = db_step(db, stmt);

	if (r < 0)
		return r;
	*ret = 0;
	if (r == DB_ROW) {
		*ret = db_column_i64(stmt, 0);
		db_reset(stmt);
	}
	return 0;
}

int stage_store_p99(struct db *db, const struct attempt *attempt, enum attempt_state state,
                    usec_t *ret_p99)
{
	struct sqlite3_stmt *stmt;
	int64_t n, longest;
	int r = prepare(db, sql_count, attempt, state, &stmt);

	if (r == 0)
		r = read_number(db, stmt, &n);
	if (r == 0)
		r = prepare(db, sql_longest, attempt, state, &stmt);
	if (r < 0)
		return r;
	db_bind_i64(stmt, ":skip", n / 100);
	r = read_number(db, stmt, &longest);
	if (r < 0)
		return r;
	*ret_p99 = (usec_t)longest;
	return (int)n;
}

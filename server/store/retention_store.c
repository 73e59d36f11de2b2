/* SPDX-License-Identifier: MulanPSL-2.0 */
#include "server/store/retention_store.h"

#include <sqlite3.h>

/* The words of the index jobs_results. */
static const char sql_oldest[] =
	"SELECT id FROM jobs WHERE finished_wall > 0 AND results = 'there' AND is_kept = 0"
	" AND NOT EXISTS (SELECT 1 FROM attempts a WHERE a.job = jobs.id AND a.is_open = 1)"
	" ORDER BY finished_wall LIMIT 1";

static const char sql_removing[] =
	"SELECT id FROM jobs WHERE results = 'removing' AND id > :after ORDER BY id LIMIT 1";

static const char sql_set[] = "UPDATE jobs SET results = :results, results_cause = :cause,"
			      " results_wall = :wall WHERE id = :id";

static const char sql_keep[] =
	"UPDATE jobs SET is_kept = :is_kept WHERE id = :id AND results = 'there'";

static const char sql_forget_files[] =
	"DELETE FROM files WHERE rowid IN (SELECT f.rowid FROM attempts a"
	" JOIN files f ON f.attempt = a.id WHERE a.job = :job LIMIT :max)";

/*
 * Events stand nearly in the order of their times: what a machine reports late is older than its
 * neighbours. A few that a wrong clock dated ahead are passed over.
 */
static const char sql_prune_events[] =
	"DELETE FROM events WHERE id IN (SELECT id FROM events ORDER BY id LIMIT :max)"
	" AND wall < :before";

static int find_id(struct db *db, struct sqlite3_stmt *stmt, int64_t *ret)
{
	int r = db_step(db, stmt);

	if (r <= 0)
		return r < 0 ? r : RETENTION_STORE_ABSENT;
	*ret = db_column_i64(stmt, 0);
	db_reset(stmt);
	return 0;
}

int retention_store_oldest(struct db *db, int64_t *ret_job)
{
	struct sqlite3_stmt *stmt;
	int r = db_prepare(db, sql_oldest, &stmt);

	return r < 0 ? r : find_id(db, stmt, ret_job);
}

int retention_store_removing(struct db *db, int64_t after, int64_t *ret_job)
{
	struct sqlite3_stmt *stmt;
	int r = db_prepare(db, sql_removing, &stmt);

	if (r < 0)
		return r;
	db_bind_i64(stmt, ":after", after);
	return find_id(db, stmt, ret_job);
}

int retention_store_set(struct db *db, int64_t job, enum results_state results,
                        enum retention_cause cause, usec_t wall)
{
	struct sqlite3_stmt *stmt;
	int r = db_prepare(db, sql_set, &stmt);

	if (r < 0)
		return r;
	db_bind_i64(stmt, ":id", job);
	db_bind_text(stmt, ":results", results_state_to_name((int)results));
	db_bind_text(stmt, ":cause", retention_cause_to_name((int)cause));
	db_bind_i64(stmt, ":wall", (int64_t)wall);
	r = db_run(db, stmt);
	return r < 0 ? r : 0;
}

int retention_store_keep(struct db *db, int64_t job, bool is_kept)
{
	struct sqlite3_stmt *stmt;
	int r = db_prepare(db, sql_keep, &stmt);

	if (r < 0)
		return r;
	db_bind_i64(stmt, ":id", job);
	db_bind_i64(stmt, ":is_kept", is_kept);
	r = db_run(db, stmt);
	if (r < 0)
		return r;
	return r == 0 ? RETENTION_STORE_ABSENT : 0;
}

int retention_store_forget_files(struct db *db, int64_t job, int max)
{
	struct sqlite3_stmt *stmt;
	int r = db_prepare(db, sql_forget_files, &stmt);

	if (r < 0)
		return r;
	db_bind_i64(stmt, ":job", job);
	db_bind_i64(stmt, ":max", max);
	return db_run(db, stmt);
}

int retention_store_prune_events(struct db *db, usec_t before_wall, int max)
{
	struct sqlite3_stmt *stmt;
	int r = db_prepare(db, sql_prune_events, &stmt);

	if (r < 0)
		return r;
	db_bind_i64(stmt, ":max", max);
	db_bind_i64(stmt, ":before", (int64_t)before_wall);
	return db_run(db, stmt);
}

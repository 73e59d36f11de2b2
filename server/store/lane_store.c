/* SPDX-License-Identifier: MulanPSL-2.0 */
#include "server/store/lane_store.h"

#include <errno.h>
#include <jansson.h>
#include <sqlite3.h>
#include <stdlib.h>

#include "server/core/share.h"

static const char sql_find[] = "SELECT id FROM lanes WHERE key = :key LIMIT 1";

static const char sql_insert[] = "INSERT INTO lanes (key, submitter, priority, is_idle)"
				 " VALUES (:key, :submitter, :priority, :is_idle)";

static const char sql_add_name[] =
	"INSERT OR IGNORE INTO lane_names (name, lane) VALUES (:name, :lane)";

static const char sql_heads[] =
	"SELECT l.head, l.head_rank, l.priority, l.is_idle, s.used, s.at_steady FROM lanes l"
	" LEFT JOIN shares s ON s.submitter = l.submitter WHERE l.head IS NOT NULL AND l.id IN"
	" (SELECT lane FROM lane_names WHERE name IN (SELECT value FROM json_each(:names)))"
	" ORDER BY l.head_rank, l.head LIMIT :max";

static const char sql_prune[] = "DELETE FROM lanes WHERE id NOT IN"
				" (SELECT lane FROM jobs WHERE state IN"
				" ('queued', 'waiting', 'active'))";

static const char sql_used[] =
	"SELECT used, at_steady FROM shares WHERE submitter = :submitter LIMIT 1";

static const char sql_charge[] = "INSERT INTO shares (submitter, used, at_steady)"
				 " VALUES (:submitter, :used, :steady)"
				 " ON CONFLICT (submitter) DO UPDATE SET used = excluded.used,"
				 " at_steady = excluded.at_steady";

/* All that a host is matched by, whose job it is, and its priority. */
static char *make_key(const struct job_record *job)
{
	json_t *key =
		json_pack("[s, s, s, s, s, s, i, b, I, I, i, i, s]", job->testbox, job->tbox_group,
	                  job->queues[0], job->n_queues > 1 ? job->queues[1] : "", job->arch,
	                  job->submitter, (int)job->kind, (int)job->is_idle,
	                  (json_int_t)job->priority, (json_int_t)job->needs.memory,
	                  (int)job->needs.n_hdd, (int)job->needs.n_ssd, job->needs.tags);
	char *text = key ? json_dumps(key, JSON_COMPACT) : NULL;

	json_decref(key);
	return text;
}

static int add_name(struct db *db, int64_t lane, const char *name)
{
	struct sqlite3_stmt *stmt;
	int r = name[0] ? db_prepare(db, sql_add_name, &stmt) : 0;

	if (r < 0 || !name[0])
		return r;
	db_bind_text(stmt, ":name", name);
	db_bind_i64(stmt, ":lane", lane);
	r = db_run(db, stmt);
	return r < 0 ? r : 0;
}

static int add(struct db *db, const struct job_record *job, const char *key, int64_t *ret)
{
	struct sqlite3_stmt *stmt;
	int r = db_prepare(db, sql_insert, &stmt);
	int64_t lane;

	if (r < 0)
		return r;
	db_bind_text(stmt, ":key", key);
	db_bind_text(stmt, ":submitter", job->submitter);
	db_bind_i64(stmt, ":priority", job->priority);
	db_bind_i64(stmt, ":is_idle", job->is_idle);
	r = db_run(db, stmt);
	if (r < 0)
		return r;
	lane = db_last_id(db);
	r = add_name(db, lane, job->testbox);
	if (r == 0)
		r = add_name(db, lane, job->tbox_group);
	for (unsigned i = 0; i < job->n_queues && r == 0; i++)
		r = add_name(db, lane, job->queues[i]);
	if (r == 0)
		*ret = lane;
	return r;
}

static int find(struct db *db, const char *key, int64_t *ret)
{
	struct sqlite3_stmt *stmt;
	int r = db_prepare(db, sql_find, &stmt);

	if (r < 0)
		return r;
	db_bind_text(stmt, ":key", key);
	r = db_step(db, stmt);
	if (r == DB_ROW) {
		*ret = db_column_i64(stmt, 0);
		db_reset(stmt);
	}
	return r;
}

int lane_store_find(struct db *db, const struct job_record *job, int64_t *ret)
{
	char *key = make_key(job);
	int r = key ? find(db, key, ret) : -EINVAL; /* a name that is no UTF-8 was refused before */

	if (r == DB_DONE && key)
		r = add(db, job, key, ret);
	free(key);
	return r < 0 ? r : 0;
}

int lane_store_heads(struct db *db, const char *names, usec_t steady,
                     struct sched_candidate *candidates, int max)
{
	struct sqlite3_stmt *stmt;
	int n = 0;
	int r = db_prepare(db, sql_heads, &stmt);

	if (r < 0)
		return r;
	db_bind_text(stmt, ":names", names);
	db_bind_i64(stmt, ":max", max);
	while ((r = db_step(db, stmt)) == DB_ROW)
		candidates[n++] = (struct sched_candidate){
			.job = db_column_i64(stmt, 0),
			.rank = db_column_i64(stmt, 1),
			.priority = db_column_i64(stmt, 2),
			.is_idle = db_column_i64(stmt, 3) != 0,
			.used = share_fade((uint64_t)db_column_i64(stmt, 4),
			                   usec_sub(steady, (usec_t)db_column_i64(stmt, 5))),
		};
	return r < 0 ? r : n;
}

int lane_store_prune(struct db *db)
{
	struct sqlite3_stmt *stmt;
	int r = db_prepare(db, sql_prune, &stmt);

	if (r < 0)
		return r;
	r = db_run(db, stmt);
	return r < 0 ? r : 0;
}

int lane_store_used(struct db *db, const char *submitter, usec_t steady, uint64_t *ret)
{
	struct sqlite3_stmt *stmt;
	int r = db_prepare(db, sql_used, &stmt);

	if (r < 0)
		return r;
	db_bind_text(stmt, ":submitter", submitter);
	r = db_step(db, stmt);
	if (r < 0)
		return r;
	*ret = 0;
	if (r == DB_ROW) {
		*ret = share_fade((uint64_t)db_column_i64(stmt, 0),
		                  usec_sub(steady, (usec_t)db_column_i64(stmt, 1)));
		db_reset(stmt);
	}
	return 0;
}

int lane_store_charge(struct db *db, const char *submitter, usec_t steady, int64_t seconds)
{
	struct sqlite3_stmt *stmt;
	uint64_t used = 0;
	int r = lane_store_used(db, submitter, steady, &used);

	if (r == 0)
		r = db_prepare(db, sql_charge, &stmt);
	if (r < 0)
		return r;
	db_bind_text(stmt, ":submitter", submitter);
	db_bind_i64(stmt, ":used", (int64_t)used + seconds > 0 ? (int64_t)used + seconds : 0);
	db_bind_i64(stmt, ":steady", (int64_t)steady);
	r = db_run(db, stmt);
	return r < 0 ? r : 0;
}

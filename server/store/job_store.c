/* SPDX-License-Identifier: MulanPSL-2.0 */
#include "server/store/job_store.h"

#include <assert.h>
#include <errno.h>
#include <sqlite3.h>

#include "lib/base/text.h"
#include "server/store/db_row.h"
#include "server/store/lane_store.h"

static_assert((int)JOB_STORE_ABSENT == (int)DB_ABSENT, "one outcome for what is not there");

#define JOB_COLUMNS                                                                                \
	"id, state, verdict, cause, upload, reason, suite, testbox, tbox_group, queue, queue_2,"   \
	" arch, priority, result_root, tries, max_tries, lost_offers, run_limit,"                  \
	" not_before_steady, expires_steady, submitted_wall, finished_wall, attempt,"              \
	" kind, is_held, submitter, lane, rank, is_ready, is_idle, memory, n_hdd, n_ssd, tags,"    \
	" is_kept, results, results_cause, results_wall"

#define JOB_IS_PENDING " is_pending = 1"

static const char sql_insert[] =
	"INSERT INTO jobs (state, suite, testbox, tbox_group, queue, queue_2, arch, priority,"
	" document, max_tries, run_limit, expires_steady, idempotency_key, idempotency_hash,"
	" submitted_wall, kind, submitter, lane, rank, is_pending, is_ready, is_idle, memory, n_hdd,"
	" n_ssd, tags) VALUES (:state, :suite, :testbox, :tbox_group, :queue, :queue_2, :arch,"
	" :priority, :document, :max_tries, :run_limit, :expires, :key, :hash, :submitted, :kind,"
	" :submitter, :lane, :rank, :is_pending, :is_ready, :is_idle, :memory, :n_hdd, :n_ssd,"
	" :tags)";

static const char sql_set_root[] = "UPDATE jobs SET result_root = :root WHERE id = :id";

static const char sql_find[] = "SELECT " JOB_COLUMNS " FROM jobs WHERE id = :id LIMIT 1";

static const char sql_find_key[] =
	"SELECT id, idempotency_hash FROM jobs WHERE idempotency_key = :key LIMIT 1";

static const char sql_document[] = "SELECT document FROM jobs WHERE id = :id LIMIT 1";

static const char sql_update[] =
	"UPDATE jobs SET state = :state, verdict = :verdict, cause = :cause, upload = :upload,"
	" reason = :reason, tries = :tries, lost_offers = :lost_offers,"
	" not_before_steady = :not_before, expires_steady = :expires, is_held = :is_held,"
	" finished_wall = :finished, attempt = :attempt, rank = :rank, is_pending = :is_pending,"
	" is_ready = :is_ready"
	" WHERE id = :id AND state = :from";

static const char sql_after[] =
	"SELECT " JOB_COLUMNS " FROM jobs WHERE lane = :lane AND is_ready = 1"
	" AND (rank, id) > (:rank, :id) ORDER BY rank, id LIMIT 1";

static const char sql_last_rank[] =
	"SELECT max(rank) FROM jobs WHERE lane = :lane AND is_ready = 1";

static const char sql_promote[] =
	"UPDATE jobs SET is_ready = 1 WHERE is_pending = 1 AND is_ready = 0 AND is_held = 0"
	" AND not_before_steady <= :steady";

static const char sql_has_candidates[] =
	"SELECT EXISTS (SELECT 1 FROM jobs WHERE" JOB_IS_PENDING ")";

static const char sql_has_health[] = "SELECT EXISTS (SELECT 1 FROM jobs WHERE testbox = :host"
				     " AND kind = 'health' AND state IN"
				     " ('queued', 'waiting', 'active'))";

static const char sql_list[] =
	"SELECT " JOB_COLUMNS " FROM jobs WHERE id < :before AND (:state IS NULL OR state = :state)"
	" AND (:host IS NULL OR EXISTS"
	"  (SELECT 1 FROM attempts a WHERE a.job = jobs.id AND a.host = :host))"
	" ORDER BY id DESC LIMIT :max";

static const char sql_expired[] =
	"SELECT " JOB_COLUMNS " FROM jobs WHERE" JOB_IS_PENDING
	" AND expires_steady <= :steady ORDER BY expires_steady LIMIT :max";

static const char sql_next_moment[] =
	"SELECT (SELECT min(expires_steady) FROM jobs WHERE is_pending = 1),"
	" (SELECT min(not_before_steady) FROM jobs"
	"  WHERE is_pending = 1 AND is_ready = 0 AND is_held = 0)";

static const char sql_count[] = "SELECT state, count(*) FROM jobs GROUP BY state LIMIT 64";

static void read_names(struct sqlite3_stmt *stmt, struct job_record *ret)
{
	db_column_copy(stmt, 6, ret->suite, sizeof(ret->suite));
	db_column_copy(stmt, 7, ret->testbox, sizeof(ret->testbox));
	db_column_copy(stmt, 8, ret->tbox_group, sizeof(ret->tbox_group));
	db_column_copy(stmt, 9, ret->queues[0], sizeof(ret->queues[0]));
	db_column_copy(stmt, 10, ret->queues[1], sizeof(ret->queues[1]));
	ret->n_queues = ret->queues[1][0] ? 2 : 1;
	db_column_copy(stmt, 11, ret->arch, sizeof(ret->arch));
	db_column_copy(stmt, 13, ret->result_root, sizeof(ret->result_root));
}

static void read_place(struct sqlite3_stmt *stmt, struct job_record *ret)
{
	ret->lane = db_column_i64(stmt, 26);
	ret->rank = db_column_i64(stmt, 27);
	ret->is_ready = db_column_i64(stmt, 28) != 0;
	ret->is_idle = db_column_i64(stmt, 29) != 0;
	ret->needs.memory = (uint64_t)db_column_i64(stmt, 30);
	ret->needs.n_hdd = (unsigned)db_column_i64(stmt, 31);
	ret->needs.n_ssd = (unsigned)db_column_i64(stmt, 32);
	db_column_copy(stmt, 33, ret->needs.tags, sizeof(ret->needs.tags));
}

static void read_results(struct sqlite3_stmt *stmt, struct job_record *ret)
{
	ret->is_kept = db_column_i64(stmt, 34) != 0;
	ret->results = (enum results_state)results_state_from_name(
		slice_from_text(db_column_text(stmt, 35)));
	ret->results_cause = (enum retention_cause)retention_cause_from_name(
		slice_from_text(db_column_text(stmt, 36)));
	ret->results_wall = (usec_t)db_column_i64(stmt, 37);
}

static void read_job(struct sqlite3_stmt *stmt, void *into)
{
	struct job_record *ret = into;
	int verdict = job_verdict_from_name(slice_from_text(db_column_text(stmt, 2)));

	*ret = (struct job_record){
		.id = db_column_i64(stmt, 0),
		.state = (enum job_state)job_state_from_name(
			slice_from_text(db_column_text(stmt, 1))),
		.verdict = verdict < 0 ? JOB_VERDICT_NONE : (enum job_verdict)verdict,
		.priority = db_column_i64(stmt, 12),
		.tries = (unsigned)db_column_i64(stmt, 14),
		.max_tries = (unsigned)db_column_i64(stmt, 15),
		.lost_offers = (unsigned)db_column_i64(stmt, 16),
		.run_limit = (usec_t)db_column_i64(stmt, 17),
		.not_before_steady = (usec_t)db_column_i64(stmt, 18),
		.expires_steady = (usec_t)db_column_i64(stmt, 19),
		.submitted_wall = (usec_t)db_column_i64(stmt, 20),
		.finished_wall = (usec_t)db_column_i64(stmt, 21),
		.attempt = db_column_i64(stmt, 22),
		.is_held = db_column_i64(stmt, 24) != 0,
	};
	if (text_equal(slice_from_text(db_column_text(stmt, 23)), "health"))
		ret->kind = JOB_KIND_HEALTH;
	db_column_copy(stmt, 25, ret->submitter, sizeof(ret->submitter));
	read_place(stmt, ret);
	read_results(stmt, ret);
	db_column_copy(stmt, 3, ret->cause, sizeof(ret->cause));
	db_column_copy(stmt, 4, ret->upload, sizeof(ret->upload));
	db_column_copy(stmt, 5, ret->reason, sizeof(ret->reason));
	read_names(stmt, ret);
}

static void bind_place(struct sqlite3_stmt *stmt, const struct job_record *job)
{
	bool is_pending = job->state == JOB_QUEUED || job->state == JOB_WAITING;

	db_bind_i64(stmt, ":rank", job->rank);
	db_bind_i64(stmt, ":is_pending", is_pending);
	db_bind_i64(stmt, ":is_ready", is_pending && job->is_ready);
}

int job_store_insert(struct db *db, const struct job_record *job, const char *document,
                     const char *key, uint64_t body_hash, int64_t *ret_id)
{
	struct sqlite3_stmt *stmt;
	int64_t lane = 0;
	int r = lane_store_find(db, job, &lane);

	if (r < 0)
		return r;
	r = db_prepare(db, sql_insert, &stmt);
	if (r < 0)
		return r;
	db_bind_text(stmt, ":state", job_state_to_name(job->state));
	db_bind_text(stmt, ":suite", job->suite);
	db_bind_text(stmt, ":testbox", job->testbox);
	db_bind_text(stmt, ":tbox_group", job->tbox_group);
	db_bind_text(stmt, ":queue", job->queues[0]);
	db_bind_text(stmt, ":queue_2", job->n_queues > 1 ? job->queues[1] : "");
	db_bind_text(stmt, ":arch", job->arch);
	db_bind_i64(stmt, ":priority", job->priority);
	db_bind_text(stmt, ":document", document);
	db_bind_i64(stmt, ":max_tries", job->max_tries);
	db_bind_i64(stmt, ":run_limit", (int64_t)job->run_limit);
	db_bind_i64(stmt, ":expires", (int64_t)job->expires_steady);
	db_bind_text(stmt, ":key", key);
	db_bind_i64(stmt, ":hash", (int64_t)body_hash);
	db_bind_i64(stmt, ":submitted", (int64_t)job->submitted_wall);
	db_bind_text(stmt, ":kind", job->kind == JOB_KIND_HEALTH ? "health" : "user");
	db_bind_text(stmt, ":submitter", job->submitter);
	bind_place(stmt, job);
	db_bind_i64(stmt, ":lane", lane);
	db_bind_i64(stmt, ":is_idle", job->is_idle);
	db_bind_i64(stmt, ":memory", (int64_t)job->needs.memory);
	db_bind_i64(stmt, ":n_hdd", job->needs.n_hdd);
	db_bind_i64(stmt, ":n_ssd", job->needs.n_ssd);
	db_bind_text(stmt, ":tags", job->needs.tags);
	r = db_run(db, stmt);
	if (r < 0)
		return r;
	*ret_id = db_last_id(db);
	return 0;
}

int job_store_set_result_root(struct db *db, int64_t id, const char *result_root)
{
	struct sqlite3_stmt *stmt;
	int r = db_prepare(db, sql_set_root, &stmt);

	if (r < 0)
		return r;
	db_bind_i64(stmt, ":id", id);
	db_bind_text(stmt, ":root", result_root);
	r = db_run(db, stmt);
	return r < 0 ? r : 0;
}

int job_store_find(struct db *db, int64_t id, struct job_record *ret)
{
	struct sqlite3_stmt *stmt;
	int r = db_prepare_i64(db, sql_find, ":id", id, &stmt);

	return r < 0 ? r : db_read_one(db, stmt, read_job, ret);
}

int job_store_find_key(struct db *db, const char *key, int64_t *ret_id, uint64_t *ret_body_hash)
{
	struct sqlite3_stmt *stmt;
	int r = db_prepare(db, sql_find_key, &stmt);

	if (r < 0)
		return r;
	db_bind_text(stmt, ":key", key);
	r = db_step(db, stmt);
	if (r <= 0)
		return r < 0 ? r : JOB_STORE_ABSENT;
	*ret_id = db_column_i64(stmt, 0);
	*ret_body_hash = (uint64_t)db_column_i64(stmt, 1);
	db_reset(stmt);
	return 0;
}

int job_store_document(struct db *db, int64_t id, struct buffer *out)
{
	struct sqlite3_stmt *stmt;
	int r = db_prepare_i64(db, sql_document, ":id", id, &stmt);

	return r < 0 ? r : db_read_text(db, stmt, out);
}

int job_store_update(struct db *db, const struct job_record *job, enum job_state from)
{
	struct sqlite3_stmt *stmt;
	int r = db_prepare(db, sql_update, &stmt);

	if (r < 0)
		return r;
	db_bind_i64(stmt, ":id", job->id);
	db_bind_text(stmt, ":from", job_state_to_name(from));
	db_bind_text(stmt, ":state", job_state_to_name(job->state));
	db_bind_text(stmt, ":verdict", job->verdict ? job_verdict_to_name(job->verdict) : "");
	db_bind_text(stmt, ":cause", job->cause);
	db_bind_text(stmt, ":upload", job->upload);
	db_bind_text(stmt, ":reason", job->reason);
	db_bind_i64(stmt, ":tries", job->tries);
	db_bind_i64(stmt, ":lost_offers", job->lost_offers);
	db_bind_i64(stmt, ":not_before", (int64_t)job->not_before_steady);
	db_bind_i64(stmt, ":expires", (int64_t)job->expires_steady);
	db_bind_i64(stmt, ":is_held", job->is_held);
	bind_place(stmt, job);
	db_bind_i64(stmt, ":finished", (int64_t)job->finished_wall);
	db_bind_i64(stmt, ":attempt", job->attempt);
	r = db_run(db, stmt);
	if (r < 0)
		return r;
	return r == 0 ? JOB_STORE_STALE : 0;
}

int job_store_after(struct db *db, const struct job_record *job, struct job_record *ret)
{
	struct sqlite3_stmt *stmt;
	int r = db_prepare(db, sql_after, &stmt);

	if (r < 0)
		return r;
	db_bind_i64(stmt, ":lane", job->lane);
	db_bind_i64(stmt, ":rank", job->rank);
	db_bind_i64(stmt, ":id", job->id);
	r = db_step(db, stmt);
	if (r <= 0)
		return r < 0 ? r : JOB_STORE_ABSENT;
	read_job(stmt, ret);
	db_reset(stmt);
	return 0;
}

int job_store_last_rank(struct db *db, int64_t lane, int64_t *ret)
{
	struct sqlite3_stmt *stmt;
	int r = db_prepare(db, sql_last_rank, &stmt);

	if (r < 0)
		return r;
	db_bind_i64(stmt, ":lane", lane);
	r = db_step(db, stmt);
	if (r < 0)
		return r;
	*ret = r == DB_ROW ? db_column_i64(stmt, 0) : 0;
	db_reset(stmt);
	return 0;
}

int job_store_promote(struct db *db, usec_t steady)
{
	struct sqlite3_stmt *stmt;
	int r = db_prepare(db, sql_promote, &stmt);

	if (r < 0)
		return r;
	db_bind_i64(stmt, ":steady", (int64_t)steady);
	return db_run(db, stmt);
}

static int exists(struct db *db, struct sqlite3_stmt *stmt)
{
	int has, r = db_step(db, stmt);

	if (r <= 0)
		return r;
	has = db_column_i64(stmt, 0) != 0;
	db_reset(stmt);
	return has;
}

int job_store_has_candidates(struct db *db)
{
	struct sqlite3_stmt *stmt;
	int r = db_prepare(db, sql_has_candidates, &stmt);

	return r < 0 ? r : exists(db, stmt);
}

int job_store_has_health(struct db *db, const char *host)
{
	struct sqlite3_stmt *stmt;
	int r = db_prepare(db, sql_has_health, &stmt);

	if (r < 0)
		return r;
	db_bind_text(stmt, ":host", host);
	return exists(db, stmt);
}

int job_store_list(struct db *db, const struct job_filter *filter, struct job_record *jobs, int max)
{
	struct sqlite3_stmt *stmt;
	int r = db_prepare(db, sql_list, &stmt);

	if (r < 0)
		return r;
	db_bind_i64(stmt, ":before", filter->before > 0 ? filter->before : INT64_MAX);
	db_bind_text(stmt, ":state", filter->state < 0 ? NULL : job_state_to_name(filter->state));
	db_bind_text(stmt, ":host", filter->host);
	return db_read_many(db, stmt, read_job, jobs, sizeof(*jobs), max);
}

int job_store_expired(struct db *db, usec_t steady, struct job_record *jobs, int max)
{
	struct sqlite3_stmt *stmt;
	int r = db_prepare(db, sql_expired, &stmt);

	if (r < 0)
		return r;
	db_bind_i64(stmt, ":steady", (int64_t)steady);
	return db_read_many(db, stmt, read_job, jobs, sizeof(*jobs), max);
}

int job_store_next_moment(struct db *db, usec_t *ret)
{
	struct sqlite3_stmt *stmt;
	usec_t moment = USEC_INFINITY;
	int r = db_prepare(db, sql_next_moment, &stmt);

	if (r < 0)
		return r;
	r = db_step(db, stmt);
	if (r < 0)
		return r;
	if (r == DB_ROW) {
		for (int column = 0; column < 2; column++)
			if (!db_column_is_null(stmt, column))
				moment = usec_min(moment, (usec_t)db_column_i64(stmt, column));
		db_reset(stmt);
	}
	*ret = moment;
	return 0;
}

int job_store_count(struct db *db, int64_t counts[_JOB_STATE_MAX])
{
	struct sqlite3_stmt *stmt;
	int r = db_prepare(db, sql_count, &stmt);

	for (int i = 0; i < _JOB_STATE_MAX; i++)
		counts[i] = 0;
	if (r < 0)
		return r;
	while ((r = db_step(db, stmt)) == DB_ROW) {
		int state = job_state_from_name(slice_from_text(db_column_text(stmt, 0)));

		if (state >= 0)
			counts[state] = db_column_i64(stmt, 1);
	}
	return r;
}

/* SPDX-License-Identifier: MulanPSL-2.0 */
#include "server/store/attempt_store.h"

#include <assert.h>
#include <errno.h>
#include <sqlite3.h>
#include <string.h>

#include "lib/base/text.h"
#include "server/store/db_row.h"

static_assert((int)ATTEMPT_STORE_ABSENT == (int)DB_ABSENT, "one outcome for what is not there");

#define ATTEMPT_COLUMNS                                                                            \
	"id, job, host, mac, state, session, token, boot_id, address, server, kernel_path,"        \
	" verdict, cause, deadline_steady, seen_steady, offered_wall, hello_wall, ended_wall,"     \
	" run_limit, run_until_steady, os_mount, since_steady, state_limit"

static const char sql_insert[] =
	"INSERT INTO attempts (job, host, mac, state, is_open, session, token, address, server,"
	" kernel_path, script, deadline_steady, seen_steady, offered_wall, run_limit, os_mount,"
	" since_steady, state_limit)"
	" VALUES (:job, :host, :mac, :state, :open, :session, :token, :address, :server,"
	" :kernel_path, '', :deadline, :seen, :offered, :run_limit, :os_mount, :since,"
	" :state_limit)";

static const char sql_set_script[] =
	"UPDATE attempts SET script = :script, kernel_path = :kernel_path WHERE id = :id";

static const char sql_find[] = "SELECT " ATTEMPT_COLUMNS " FROM attempts WHERE id = :id LIMIT 1";

static const char sql_open_of_job[] =
	"SELECT " ATTEMPT_COLUMNS " FROM attempts WHERE job = :job AND is_open = 1 LIMIT 1";

static const char sql_open_of_host[] =
	"SELECT " ATTEMPT_COLUMNS " FROM attempts WHERE host = :host AND is_open = 1 LIMIT 1";

static const char sql_open_at[] =
	"SELECT " ATTEMPT_COLUMNS
	" FROM attempts WHERE address = :address AND is_open = 1 ORDER BY id DESC LIMIT 1";

static const char sql_last[] =
	"SELECT " ATTEMPT_COLUMNS " FROM attempts WHERE job = :job ORDER BY id DESC LIMIT 1";

static const char sql_script[] = "SELECT script FROM attempts WHERE id = :id LIMIT 1";

static const char sql_list[] =
	"SELECT " ATTEMPT_COLUMNS " FROM attempts WHERE job = :job ORDER BY id LIMIT :max";

static const char sql_list_open[] =
	"SELECT " ATTEMPT_COLUMNS
	" FROM attempts WHERE is_open = 1 AND id > :after ORDER BY id LIMIT :max";

/* Not by an index: a look at the newest ones. */
static const char sql_list_ended[] =
	"SELECT " ATTEMPT_COLUMNS " FROM attempts WHERE id > :after"
	" AND id > (SELECT max(id) FROM attempts) - 4096 AND is_open = 0 AND ended_wall > :since"
	" ORDER BY id LIMIT :max";

static const char sql_update[] =
	"UPDATE attempts SET state = :state, is_open = :open, session = :session,"
	" boot_id = :boot_id, address = :address, verdict = :verdict, cause = :cause,"
	" deadline_steady = :deadline, seen_steady = :seen, hello_wall = :hello,"
	" ended_wall = :ended, run_limit = :run_limit, run_until_steady = :run_until,"
	" since_steady = :since, state_limit = :state_limit"
	" WHERE id = :id AND state = :from";

static const char sql_due[] =
	"SELECT " ATTEMPT_COLUMNS " FROM attempts WHERE is_open = 1 AND deadline_steady <= :steady"
	" ORDER BY deadline_steady LIMIT :max";

static const char sql_next_deadline[] =
	"SELECT min(deadline_steady) FROM attempts WHERE is_open = 1";

static const char sql_has_failed[] =
	"SELECT EXISTS (SELECT 1 FROM attempts WHERE job = :job AND host = :host"
	" AND state IN ('infra', 'lost_offer'))";

static const char sql_failed_hosts[] =
	"SELECT count(DISTINCT host) FROM attempts WHERE job = :job AND state = 'infra'";

static const char sql_next_failed_host[] =
	"SELECT min(host) FROM attempts WHERE job = :job AND state = 'infra' AND host > :after";

/* Jobs that failed here and got a verdict elsewhere: those blame the host. */
static const char sql_bad_jobs[] =
	"SELECT count(DISTINCT a.job) FROM attempts a JOIN jobs j ON j.id = a.job"
	" JOIN attempts b ON b.id = j.attempt WHERE a.host = :host AND a.state = 'infra'"
	" AND a.ended_wall >= :since AND j.state = 'finished' AND b.host <> :host";

static const char sql_add_manifest[] = "INSERT INTO manifests (attempt, document, committed_wall)"
				       " VALUES (:attempt, :document, :wall)";

static const char sql_manifest[] =
	"SELECT document FROM manifests WHERE attempt = :attempt LIMIT 1";

static void read_attempt(struct sqlite3_stmt *stmt, void *into)
{
	struct attempt *ret = into;
	int verdict = job_verdict_from_name(slice_from_text(db_column_text(stmt, 11)));

	*ret = (struct attempt){
		.id = db_column_i64(stmt, 0),
		.job = db_column_i64(stmt, 1),
		.state = (enum attempt_state)attempt_state_from_name(
			slice_from_text(db_column_text(stmt, 4))),
		.session = db_column_i64(stmt, 5),
		.address = (uint32_t)db_column_i64(stmt, 8),
		.server = (uint32_t)db_column_i64(stmt, 9),
		.verdict = verdict < 0 ? JOB_VERDICT_NONE : (enum job_verdict)verdict,
		.deadline_steady = (usec_t)db_column_i64(stmt, 13),
		.seen_steady = (usec_t)db_column_i64(stmt, 14),
		.offered_wall = (usec_t)db_column_i64(stmt, 15),
		.hello_wall = (usec_t)db_column_i64(stmt, 16),
		.ended_wall = (usec_t)db_column_i64(stmt, 17),
		.run_limit = (usec_t)db_column_i64(stmt, 18),
		.run_until_steady = (usec_t)db_column_i64(stmt, 19),
		.since_steady = (usec_t)db_column_i64(stmt, 21),
		.state_limit = (usec_t)db_column_i64(stmt, 22),
	};
	db_column_mac(stmt, 3, &ret->mac);
	db_column_copy(stmt, 2, ret->host, sizeof(ret->host));
	db_column_copy(stmt, 6, ret->token, sizeof(ret->token));
	db_column_copy(stmt, 7, ret->boot_id, sizeof(ret->boot_id));
	db_column_copy(stmt, 10, ret->kernel_path, sizeof(ret->kernel_path));
	db_column_copy(stmt, 12, ret->cause, sizeof(ret->cause));
	db_column_copy(stmt, 20, ret->os_mount, sizeof(ret->os_mount));
}

int attempt_store_insert(struct db *db, const struct attempt *attempt, int64_t *ret_id)
{
	struct sqlite3_stmt *stmt;
	int r = db_prepare(db, sql_insert, &stmt);

	if (r < 0)
		return r;
	db_bind_i64(stmt, ":job", attempt->job);
	db_bind_text(stmt, ":host", attempt->host);
	db_bind_blob(stmt, ":mac", slice_make(attempt->mac.octet, sizeof(attempt->mac.octet)));
	db_bind_text(stmt, ":state", attempt_state_to_name(attempt->state));
	db_bind_i64(stmt, ":open", !attempt_state_is_final(attempt->state));
	db_bind_i64(stmt, ":session", attempt->session);
	db_bind_text(stmt, ":token", attempt->token);
	db_bind_i64(stmt, ":address", attempt->address);
	db_bind_i64(stmt, ":server", attempt->server);
	db_bind_text(stmt, ":kernel_path", attempt->kernel_path);
	db_bind_i64(stmt, ":deadline", (int64_t)attempt->deadline_steady);
	db_bind_i64(stmt, ":seen", (int64_t)attempt->seen_steady);
	db_bind_i64(stmt, ":offered", (int64_t)attempt->offered_wall);
	db_bind_i64(stmt, ":run_limit", (int64_t)attempt->run_limit);
	db_bind_text(stmt, ":os_mount", attempt->os_mount);
	db_bind_i64(stmt, ":since", (int64_t)attempt->since_steady);
	db_bind_i64(stmt, ":state_limit", (int64_t)attempt->state_limit);
	r = db_run(db, stmt);
	if (r < 0)
		return r;
	*ret_id = db_last_id(db);
	return 0;
}

int attempt_store_set_script(struct db *db, int64_t id, struct slice script,
                             const char *kernel_path)
{
	struct sqlite3_stmt *stmt;
	int r = db_prepare(db, sql_set_script, &stmt);

	if (r < 0)
		return r;
	db_bind_i64(stmt, ":id", id);
	db_bind_slice(stmt, ":script", script);
	db_bind_text(stmt, ":kernel_path", kernel_path);
	r = db_run(db, stmt);
	return r < 0 ? r : 0;
}

int attempt_store_find(struct db *db, int64_t id, struct attempt *ret)
{
	struct sqlite3_stmt *stmt;
	int r = db_prepare_i64(db, sql_find, ":id", id, &stmt);

	return r < 0 ? r : db_read_one(db, stmt, read_attempt, ret);
}

int attempt_store_find_open_of_job(struct db *db, int64_t job, struct attempt *ret)
{
	struct sqlite3_stmt *stmt;
	int r = db_prepare_i64(db, sql_open_of_job, ":job", job, &stmt);

	return r < 0 ? r : db_read_one(db, stmt, read_attempt, ret);
}

int attempt_store_find_open_of_host(struct db *db, const char *host, struct attempt *ret)
{
	struct sqlite3_stmt *stmt;
	int r = db_prepare_text(db, sql_open_of_host, ":host", host, &stmt);

	return r < 0 ? r : db_read_one(db, stmt, read_attempt, ret);
}

int attempt_store_find_open_at(struct db *db, uint32_t address, struct attempt *ret)
{
	struct sqlite3_stmt *stmt;
	int r = db_prepare_i64(db, sql_open_at, ":address", address, &stmt);

	return r < 0 ? r : db_read_one(db, stmt, read_attempt, ret);
}

int attempt_store_find_last(struct db *db, int64_t job, struct attempt *ret)
{
	struct sqlite3_stmt *stmt;
	int r = db_prepare_i64(db, sql_last, ":job", job, &stmt);

	return r < 0 ? r : db_read_one(db, stmt, read_attempt, ret);
}

int attempt_store_script(struct db *db, int64_t id, struct buffer *out)
{
	struct sqlite3_stmt *stmt;
	int r = db_prepare_i64(db, sql_script, ":id", id, &stmt);

	return r < 0 ? r : db_read_text(db, stmt, out);
}

int attempt_store_list(struct db *db, int64_t job, struct attempt *attempts, int max)
{
	struct sqlite3_stmt *stmt;
	int r = db_prepare_i64(db, sql_list, ":job", job, &stmt);

	return r < 0 ? r : db_read_many(db, stmt, read_attempt, attempts, sizeof(*attempts), max);
}

int attempt_store_list_open(struct db *db, int64_t after, struct attempt *attempts, int max)
{
	struct sqlite3_stmt *stmt;
	int r = db_prepare_i64(db, sql_list_open, ":after", after, &stmt);

	return r < 0 ? r : db_read_many(db, stmt, read_attempt, attempts, sizeof(*attempts), max);
}

int attempt_store_list_ended(struct db *db, int64_t after, usec_t since_wall,
                             struct attempt *attempts, int max)
{
	struct sqlite3_stmt *stmt;
	int r = db_prepare_i64(db, sql_list_ended, ":after", after, &stmt);

	if (r < 0)
		return r;
	db_bind_i64(stmt, ":since", (int64_t)since_wall);
	return db_read_many(db, stmt, read_attempt, attempts, sizeof(*attempts), max);
}

int attempt_store_update(struct db *db, const struct attempt *attempt, enum attempt_state from)
{
	struct sqlite3_stmt *stmt;
	int r = db_prepare(db, sql_update, &stmt);

	if (r < 0)
		return r;
	db_bind_i64(stmt, ":id", attempt->id);
	db_bind_text(stmt, ":from", attempt_state_to_name(from));
	db_bind_text(stmt, ":state", attempt_state_to_name(attempt->state));
	db_bind_i64(stmt, ":open", !attempt_state_is_final(attempt->state));
	db_bind_i64(stmt, ":session", attempt->session);
	db_bind_text(stmt, ":boot_id", attempt->boot_id);
	db_bind_i64(stmt, ":address", attempt->address);
	db_bind_text(stmt, ":verdict",
	             attempt->verdict ? job_verdict_to_name(attempt->verdict) : "");
	db_bind_text(stmt, ":cause", attempt->cause);
	db_bind_i64(stmt, ":deadline", (int64_t)attempt->deadline_steady);
	db_bind_i64(stmt, ":seen", (int64_t)attempt->seen_steady);
	db_bind_i64(stmt, ":hello", (int64_t)attempt->hello_wall);
	db_bind_i64(stmt, ":ended", (int64_t)attempt->ended_wall);
	db_bind_i64(stmt, ":run_limit", (int64_t)attempt->run_limit);
	db_bind_i64(stmt, ":run_until", (int64_t)attempt->run_until_steady);
	db_bind_i64(stmt, ":since", (int64_t)attempt->since_steady);
	db_bind_i64(stmt, ":state_limit", (int64_t)attempt->state_limit);
	r = db_run(db, stmt);
	if (r < 0)
		return r;
	return r == 0 ? ATTEMPT_STORE_STALE : 0;
}

int attempt_store_due(struct db *db, usec_t steady, struct attempt *attempts, int max)
{
	struct sqlite3_stmt *stmt;
	int r = db_prepare(db, sql_due, &stmt);

	if (r < 0)
		return r;
	db_bind_i64(stmt, ":steady", (int64_t)steady);
	return db_read_many(db, stmt, read_attempt, attempts, sizeof(*attempts), max);
}

int attempt_store_next_deadline(struct db *db, usec_t *ret)
{
	struct sqlite3_stmt *stmt;
	usec_t deadline = USEC_INFINITY;
	int r = db_prepare(db, sql_next_deadline, &stmt);

	if (r < 0)
		return r;
	r = db_step(db, stmt);
	if (r < 0)
		return r;
	if (r == DB_ROW) {
		if (!db_column_is_null(stmt, 0))
			deadline = (usec_t)db_column_i64(stmt, 0);
		db_reset(stmt);
	}
	*ret = deadline;
	return 0;
}

/* The number in the one row that stmt gives, or -errno. */
static int one_number(struct db *db, struct sqlite3_stmt *stmt)
{
	int n, r = db_step(db, stmt);

	if (r <= 0)
		return r;
	n = (int)db_column_i64(stmt, 0);
	db_reset(stmt);
	return n;
}

int attempt_store_has_failed(struct db *db, int64_t job, const char *host)
{
	struct sqlite3_stmt *stmt;
	int r = db_prepare(db, sql_has_failed, &stmt);

	if (r < 0)
		return r;
	db_bind_i64(stmt, ":job", job);
	db_bind_text(stmt, ":host", host);
	return one_number(db, stmt);
}

int attempt_store_count_failed_hosts(struct db *db, int64_t job)
{
	struct sqlite3_stmt *stmt;
	int r = db_prepare(db, sql_failed_hosts, &stmt);

	if (r < 0)
		return r;
	db_bind_i64(stmt, ":job", job);
	return one_number(db, stmt);
}

int attempt_store_next_failed_host(struct db *db, int64_t job, char host[HOST_NAME_MAX_LEN])
{
	struct sqlite3_stmt *stmt;
	int r = db_prepare(db, sql_next_failed_host, &stmt);

	if (r < 0)
		return r;
	db_bind_i64(stmt, ":job", job);
	db_bind_text(stmt, ":after", host);
	r = db_step(db, stmt);
	if (r <= 0)
		return r < 0 ? r : ATTEMPT_STORE_ABSENT;
	r = db_column_is_null(stmt, 0) ? ATTEMPT_STORE_ABSENT : 0;
	if (r == 0)
		db_column_copy(stmt, 0, host, HOST_NAME_MAX_LEN);
	db_reset(stmt);
	return r;
}

int attempt_store_count_bad_jobs(struct db *db, const char *host, usec_t since_wall)
{
	struct sqlite3_stmt *stmt;
	int r = db_prepare(db, sql_bad_jobs, &stmt);

	if (r < 0)
		return r;
	db_bind_text(stmt, ":host", host);
	db_bind_i64(stmt, ":since", (int64_t)since_wall);
	return one_number(db, stmt);
}

int attempt_store_add_manifest(struct db *db, int64_t attempt, struct slice document, usec_t wall)
{
	struct sqlite3_stmt *stmt;
	int r = db_prepare(db, sql_add_manifest, &stmt);

	if (r < 0)
		return r;
	db_bind_i64(stmt, ":attempt", attempt);
	db_bind_slice(stmt, ":document", document);
	db_bind_i64(stmt, ":wall", (int64_t)wall);
	r = db_run(db, stmt);
	return r < 0 ? r : 0;
}

int attempt_store_manifest(struct db *db, int64_t attempt, struct buffer *out)
{
	struct sqlite3_stmt *stmt;
	int r = db_prepare_i64(db, sql_manifest, ":attempt", attempt, &stmt);

	return r < 0 ? r : db_read_text(db, stmt, out);
}

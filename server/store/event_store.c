/* SPDX-License-Identifier: MulanPSL-2.0 */
#include "server/store/event_store.h"

#include <sqlite3.h>
#include <string.h>

#include "lib/base/text.h"

static const char sql_append[] =
	"INSERT INTO events (wall, mono, kind, host, mac, job, attempt, fields)"
	" VALUES (:wall, :mono, :kind, :host, :mac, :job, :attempt, :fields)";

static const char sql_list[] =
	"SELECT id, wall, mono, kind, host, mac, job, attempt, fields FROM events"
	" WHERE id > :after ORDER BY id LIMIT :max";

static const char sql_list_job[] =
	"SELECT id, wall, mono, kind, host, mac, job, attempt, fields FROM events"
	" WHERE job = :job AND id > :after ORDER BY id LIMIT :max";

static const char sql_list_machine[] =
	"SELECT * FROM (SELECT id, wall, mono, kind, host, mac, job, attempt, fields FROM events"
	" WHERE mac = :mac AND wall BETWEEN :from AND :to ORDER BY id DESC LIMIT :max)"
	" ORDER BY id";

static const char sql_last[] = "SELECT max(id) FROM events";

static void bind_optional(struct sqlite3_stmt *stmt, const char *name, int64_t value)
{
	if (value)
		db_bind_i64(stmt, name, value);
	else
		db_bind_null(stmt, name);
}

int event_store_append(struct db *db, const struct event *event)
{
	struct sqlite3_stmt *stmt;
	int r = db_prepare(db, sql_append, &stmt);

	if (r < 0)
		return r;
	db_bind_i64(stmt, ":wall", (int64_t)event->wall);
	db_bind_i64(stmt, ":mono", (int64_t)event->mono);
	db_bind_text(stmt, ":kind", event_kind_to_name(event->kind));
	db_bind_text(stmt, ":host", event->host[0] ? event->host : NULL);
	if (mac_is_zero(event->mac))
		db_bind_null(stmt, ":mac");
	else
		db_bind_blob(stmt, ":mac", slice_make(event->mac.octet, sizeof(event->mac.octet)));
	bind_optional(stmt, ":job", event->job);
	bind_optional(stmt, ":attempt", event->attempt);
	db_bind_text(stmt, ":fields", event->fields[0] ? event->fields : "{}");
	r = db_run(db, stmt);
	return r < 0 ? r : 0;
}

static void read_row(struct sqlite3_stmt *stmt, struct event *ret)
{
	struct slice mac = db_column_slice(stmt, 5);

	*ret = (struct event){
		.id = db_column_i64(stmt, 0),
		.wall = (usec_t)db_column_i64(stmt, 1),
		.mono = (usec_t)db_column_i64(stmt, 2),
		.kind = (enum event_kind)event_kind_from_name(
			slice_from_text(db_column_text(stmt, 3))),
		.job = db_column_i64(stmt, 6),
		.attempt = db_column_i64(stmt, 7),
	};
	(void)text_copy(ret->host, sizeof(ret->host), slice_from_text(db_column_text(stmt, 4)));
	if (mac.len == sizeof(ret->mac.octet))
		memcpy(ret->mac.octet, mac.data, mac.len);
	if (text_copy(ret->fields, sizeof(ret->fields), slice_from_text(db_column_text(stmt, 8))) !=
	    0)
		(void)text_copy(ret->fields, sizeof(ret->fields), SLICE_LITERAL("{}"));
}

int event_store_list(struct db *db, int64_t job, int64_t after, struct event *events, int max)
{
	struct sqlite3_stmt *stmt;
	int n = 0;
	int r = db_prepare(db, job ? sql_list_job : sql_list, &stmt);

	if (r < 0)
		return r;
	if (job)
		db_bind_i64(stmt, ":job", job);
	db_bind_i64(stmt, ":after", after);
	db_bind_i64(stmt, ":max", max);
	while (n < max && (r = db_step(db, stmt)) == DB_ROW)
		read_row(stmt, &events[n++]);
	if (r == DB_ROW)
		db_reset(stmt);
	return r < 0 ? r : n;
}

int event_store_list_machine(struct db *db, const struct event_window *window, struct event *events,
                             int max)
{
	struct sqlite3_stmt *stmt;
	int n = 0;
	int r = db_prepare(db, sql_list_machine, &stmt);

	if (r < 0)
		return r;
	db_bind_blob(stmt, ":mac", slice_make(window->mac.octet, sizeof(window->mac.octet)));
	db_bind_i64(stmt, ":from", (int64_t)window->from_wall);
	db_bind_i64(stmt, ":to", (int64_t)window->to_wall);
	db_bind_i64(stmt, ":max", max);
	while ((r = db_step(db, stmt)) == DB_ROW)
		read_row(stmt, &events[n++]);
	return r < 0 ? r : n;
}

int event_store_last(struct db *db, int64_t *ret)
{
	struct sqlite3_stmt *stmt;
	int r = db_prepare(db, sql_last, &stmt);

	if (r < 0)
		return r;
	r = db_step(db, stmt);
	if (r < 0)
		return r;
	*ret = r == DB_ROW ? db_column_i64(stmt, 0) : 0;
	db_reset(stmt);
	return 0;
}

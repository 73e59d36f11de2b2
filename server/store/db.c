/* SPDX-License-Identifier: MulanPSL-2.0 */
#include "server/store/db.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "lib/base/bytes.h"
#include "lib/base/macro.h"
#include "lib/sys/fd.h"
#include "server/store/schema.h"

#define STATEMENTS_MAX 256 /* far above the number of SQL constants in this room */

struct db {
	sqlite3 *handle;
	struct {
		const char *sql;
		sqlite3_stmt *stmt;
	} statements[STATEMENTS_MAX];
	size_t n_statements;
	bool is_open;     /* a transaction */
	bool is_grouping; /* what begins now is a part of the group */
	bool has_group;   /* a group has parts that are not on the disk */
	bool is_part;     /* the open transaction is one of them */
	int group_error;  /* of a group that was ended early */
};

DEFINE_FREEP(struct db, db_close);

static int to_errno(int code)
{
	switch (code & 0xff) {
	case SQLITE_OK:
	case SQLITE_DONE:
		return 0;
	case SQLITE_CONSTRAINT:
		return -EEXIST;
	case SQLITE_FULL:
		return -ENOSPC;
	case SQLITE_NOMEM:
		return -ENOMEM;
	case SQLITE_BUSY:
	case SQLITE_LOCKED:
		return -EBUSY;
	case SQLITE_CORRUPT:
	case SQLITE_NOTADB:
		return -EUCLEAN;
	case SQLITE_READONLY:
		return -EROFS;
	case SQLITE_CANTOPEN:
		return -EACCES;
	default:
		return -EIO;
	}
}

static int execute(struct db *db, const char *sql)
{
	return to_errno(sqlite3_exec(db->handle, sql, NULL, NULL, NULL));
}

/*
 * The version in the file's own header (sqlite.org/fileformat2, offset 60): asking SQLite would
 * already write beside it. Returns 0 also for a file that is not there, or is none.
 */
static int peek_version(const char *path)
{
	CLEANUP(fd_closep) int fd = open(path, O_RDONLY | O_CLOEXEC);
	static const char magic[] = "SQLite format 3"; /* with its NUL */
	uint8_t octets[64];

	if (fd < 0 || pread(fd, octets, sizeof(octets), 0) != sizeof(octets) ||
	    memcmp(octets, magic, sizeof(magic)) != 0)
		return 0;
	return (int)(get_be32(octets + 60) & INT32_MAX);
}

static int read_version(struct db *db, int *ret)
{
	sqlite3_stmt *stmt;
	int r = sqlite3_prepare_v2(db->handle, "PRAGMA user_version", -1, &stmt, NULL);

	if (r != SQLITE_OK)
		return to_errno(r);
	r = sqlite3_step(stmt);
	if (r == SQLITE_ROW)
		*ret = sqlite3_column_int(stmt, 0);
	(void)sqlite3_finalize(stmt); /* repeats the error of the step */
	return r == SQLITE_ROW ? 0 : to_errno(r);
}

static int migrate_one(struct db *db, int version)
{
	char pragma[64];
	int r;

	r = db_begin(db);
	if (r < 0)
		return r;
	(void)snprintf(pragma, sizeof(pragma), "PRAGMA user_version = %d", version + 1);
	r = execute(db, schema_migrations[version]);
	if (r == 0)
		r = execute(db, pragma);
	if (r < 0) {
		db_rollback(db);
		return r;
	}
	return db_commit(db);
}

static int migrate(struct db *db)
{
	int version = 0, r;

	r = read_version(db, &version);
	if (r < 0)
		return r;
	if (version < 0)
		return -EUCLEAN;
	if ((size_t)version > schema_n_migrations)
		return -EPROTONOSUPPORT;
	for (; (size_t)version < schema_n_migrations; version++) {
		r = migrate_one(db, version);
		if (r < 0)
			return r;
	}
	return 0;
}

int db_open(const char *path, struct db **ret)
{
	CLEANUP(db_closep) struct db *db = calloc(1, sizeof(*db));
	int r;

	if (!db)
		return -ENOMEM;
	if ((size_t)peek_version(path) > schema_n_migrations)
		return -EPROTONOSUPPORT;
	r = sqlite3_open_v2(path, &db->handle,
	                    SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_NOMUTEX, NULL);
	if (r != SQLITE_OK)
		return to_errno(r);
	(void)sqlite3_busy_timeout(db->handle, 2000); /* a backup may hold the lock for a moment */
	r = execute(db, "PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL;"
	                "PRAGMA foreign_keys = ON; PRAGMA trusted_schema = OFF;");
	if (r < 0)
		return r;
	r = migrate(db);
	if (r < 0)
		return r;
	*ret = steal_ptr(&db);
	return 0;
}

void db_close(struct db *db)
{
	if (!db)
		return;
	for (size_t i = 0; i < db->n_statements; i++)
		(void)sqlite3_finalize(db->statements[i].stmt); /* reports an error seen before */
	(void)sqlite3_close(db->handle); /* cannot fail: no statement is left */
	free(db);
}

/* SQLite has rolled everything back by itself (disk full, no memory): the group is lost. */
static int lose_group(struct db *db)
{
	db->has_group = db->is_part = db->is_open = false;
	if (db->group_error == 0)
		db->group_error = -EIO;
	return db->group_error;
}

static void end_group(struct db *db)
{
	int r;

	if (!db->has_group)
		return;
	r = execute(db, "COMMIT");
	db->has_group = false;
	if (r < 0 && sqlite3_get_autocommit(db->handle) == 0)
		(void)execute(db, "ROLLBACK"); /* fails only when there is nothing to roll back */
	if (r < 0)
		db->group_error = r;
}

static int begin_part(struct db *db)
{
	int r = db->has_group ? 0 : execute(db, "BEGIN IMMEDIATE");

	if (r < 0)
		return r;
	db->has_group = true;
	r = execute(db, "SAVEPOINT part");
	db->is_open = db->is_part = r == 0;
	return r;
}

int db_begin(struct db *db)
{
	int r;

	assert(!db->is_open);
	if (db->is_grouping)
		return begin_part(db);
	end_group(db);
	r = execute(db, "BEGIN IMMEDIATE");
	db->is_open = r == 0;
	return r;
}

int db_commit(struct db *db)
{
	int r;

	if (db->is_part && sqlite3_get_autocommit(db->handle))
		return lose_group(db);
	r = execute(db, db->is_part ? "RELEASE part" : "COMMIT");
	if (r < 0)
		db_rollback(db);
	db->is_open = db->is_part = false;
	return r;
}

void db_rollback(struct db *db)
{
	bool is_gone = sqlite3_get_autocommit(db->handle) != 0;

	if (!db->is_open)
		return;
	if (db->is_part && is_gone) {
		(void)lose_group(db); /* said by db_group_commit */
		return;
	}
	/* each fails only when there is nothing to roll back */
	if (db->is_part)
		(void)execute(db, "ROLLBACK TO part; RELEASE part");
	else if (!is_gone)
		(void)execute(db, "ROLLBACK");
	db->is_open = db->is_part = false;
}

bool db_in_transaction(const struct db *db)
{
	return db->is_open;
}

void db_group_enter(struct db *db)
{
	assert(!db->is_open);
	db->is_grouping = true;
}

void db_group_leave(struct db *db)
{
	assert(!db->is_open);
	db->is_grouping = false;
}

bool db_group_is_open(const struct db *db)
{
	return db->has_group || db->group_error < 0;
}

int db_group_commit(struct db *db)
{
	int r;

	assert(!db->is_open);
	end_group(db);
	r = db->group_error;
	db->group_error = 0;
	return r;
}

const char *db_message(const struct db *db)
{
	return sqlite3_errmsg(db->handle);
}

int db_prepare(struct db *db, const char *sql, sqlite3_stmt **ret)
{
	sqlite3_stmt *stmt;
	int r;

	for (size_t i = 0; i < db->n_statements; i++)
		if (db->statements[i].sql == sql) {
			db_reset(db->statements[i].stmt);
			*ret = db->statements[i].stmt;
			return 0;
		}
	assert(db->n_statements < STATEMENTS_MAX);
	r = sqlite3_prepare_v3(db->handle, sql, -1, SQLITE_PREPARE_PERSISTENT, &stmt, NULL);
	if (r != SQLITE_OK)
		return to_errno(r);
	db->statements[db->n_statements].sql = sql;
	db->statements[db->n_statements++].stmt = stmt;
	*ret = stmt;
	return 0;
}

static int parameter(sqlite3_stmt *stmt, const char *name)
{
	int index = sqlite3_bind_parameter_index(stmt, name);

	assert(index > 0);
	return index;
}

/* Bindings of small borrowed values fail only for lack of memory; the step after it then reports.
 */
void db_bind_i64(sqlite3_stmt *stmt, const char *name, int64_t value)
{
	(void)sqlite3_bind_int64(stmt, parameter(stmt, name), value);
}

void db_bind_text(sqlite3_stmt *stmt, const char *name, const char *text)
{
	(void)sqlite3_bind_text(stmt, parameter(stmt, name), text, -1, SQLITE_STATIC);
}

void db_bind_slice(sqlite3_stmt *stmt, const char *name, struct slice text)
{
	const char *data = text.len > 0 ? (const char *)text.data : "";

	(void)sqlite3_bind_text(stmt, parameter(stmt, name), data, (int)text.len, SQLITE_STATIC);
}

void db_bind_blob(sqlite3_stmt *stmt, const char *name, struct slice blob)
{
	const void *data = blob.len > 0 ? (const void *)blob.data : "";

	(void)sqlite3_bind_blob(stmt, parameter(stmt, name), data, (int)blob.len, SQLITE_STATIC);
}

void db_bind_null(sqlite3_stmt *stmt, const char *name)
{
	(void)sqlite3_bind_null(stmt, parameter(stmt, name));
}

int db_step(struct db *db, sqlite3_stmt *stmt)
{
	int r = sqlite3_step(stmt);

	if (r == SQLITE_ROW)
		return DB_ROW;
	(void)sqlite3_reset(stmt); /* repeats the error of the step */
	r = to_errno(r);
	if (r < 0 && db->is_part && sqlite3_get_autocommit(db->handle))
		db->group_error = r; /* for lose_group */
	return r;
}

int db_run(struct db *db, sqlite3_stmt *stmt)
{
	int r = db_step(db, stmt);

	assert(r != DB_ROW);
	return r < 0 ? r : sqlite3_changes(db->handle);
}

void db_reset(sqlite3_stmt *stmt)
{
	(void)sqlite3_reset(stmt); /* repeats an error already reported */
	(void)sqlite3_clear_bindings(stmt);
}

int64_t db_last_id(const struct db *db)
{
	return sqlite3_last_insert_rowid(db->handle);
}

int64_t db_column_i64(sqlite3_stmt *stmt, int column)
{
	return sqlite3_column_int64(stmt, column);
}

const char *db_column_text(sqlite3_stmt *stmt, int column)
{
	const char *text = (const char *)sqlite3_column_text(stmt, column);

	return text ? text : "";
}

struct slice db_column_slice(sqlite3_stmt *stmt, int column)
{
	const void *data = sqlite3_column_blob(stmt, column);

	return slice_make(data, (size_t)sqlite3_column_bytes(stmt, column));
}

bool db_column_is_null(sqlite3_stmt *stmt, int column)
{
	return sqlite3_column_type(stmt, column) == SQLITE_NULL;
}

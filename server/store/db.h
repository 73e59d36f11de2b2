/* SPDX-License-Identifier: MulanPSL-2.0 */
/*
 * One SQLite database: opened, migrated, prepared, stepped. WAL, synchronous=FULL: what db_commit
 * returned 0 for survives a power cut. Everything runs in one process and one thread.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "lib/base/bytes.h"

struct db;
struct sqlite3_stmt;

/*
 * Opens (or makes) the database at path, ":memory:" for tests, and brings its schema up to date.
 * Returns 0, or -errno: -EUCLEAN when it is damaged, -EPROTONOSUPPORT when it is from a newer ccid;
 * that one is not touched.
 */
int db_open(const char *path, struct db **ret);

/* Closes it; an open transaction is rolled back. */
void db_close(struct db *db);

/*
 * A transaction that may write (BEGIN IMMEDIATE). They do not nest.
 * db_commit returns 0 only when everything is on the disk; on an error nothing is, the transaction
 * is over.
 */
int db_begin(struct db *db);
int db_commit(struct db *db);
void db_rollback(struct db *db);
bool db_in_transaction(const struct db *db);

/*
 * A group commit: transactions begun between db_group_enter and db_group_leave are parts of one,
 * each with its own rollback, and are on the disk only when db_group_commit has returned 0.
 * Until then nobody may be told that they happened. A transaction begun outside ends the group
 * first, so that who knows nothing of groups can rely on db_commit as ever.
 * db_group_commit returns 0, also without a group; or -errno when any group since its last call was
 * lost: then nothing of those is in the store.
 */
void db_group_enter(struct db *db);
void db_group_leave(struct db *db);
bool db_group_is_open(const struct db *db);
int db_group_commit(struct db *db);

/* Message of the last error, for the log; borrowed until the next call. */
const char *db_message(const struct db *db);

/*
 * The prepared statement of that SQL text, which must be a string constant (statements are kept by
 * its address). It comes reset and unbound; db_step to its end or db_reset before the next use.
 */
int db_prepare(struct db *db, const char *sql, struct sqlite3_stmt **ret);

/* Bind by name (":mac"); texts and blobs are borrowed until the reset. A name that is not in the
 * SQL is a programming mistake. db_bind_null also for a text that is NULL. */
void db_bind_i64(struct sqlite3_stmt *stmt, const char *name, int64_t value);
void db_bind_text(struct sqlite3_stmt *stmt, const char *name, const char *text);
void db_bind_slice(struct sqlite3_stmt *stmt, const char *name, struct slice text);
void db_bind_blob(struct sqlite3_stmt *stmt, const char *name, struct slice blob);
void db_bind_null(struct sqlite3_stmt *stmt, const char *name);

/*
 * One step. Returns DB_ROW, DB_DONE (0; the statement is reset), or -errno (reset too): -EEXIST for
 * a violated constraint, -ENOSPC for a full disk, -EIO, -ENOMEM.
 */
enum { DB_DONE = 0, DB_ROW = 1 };
int db_step(struct db *db, struct sqlite3_stmt *stmt);

/* Runs a statement that returns no row. Returns the number of changed rows, or -errno. */
int db_run(struct db *db, struct sqlite3_stmt *stmt);

void db_reset(struct sqlite3_stmt *stmt);

/* rowid of the last insert. */
int64_t db_last_id(const struct db *db);

/* Columns of the current row, from 0. Slices and texts live until the next step. NULL reads as 0,
 * "". */
int64_t db_column_i64(struct sqlite3_stmt *stmt, int column);
const char *db_column_text(struct sqlite3_stmt *stmt, int column);
struct slice db_column_slice(struct sqlite3_stmt *stmt, int column);
bool db_column_is_null(struct sqlite3_stmt *stmt, int column);

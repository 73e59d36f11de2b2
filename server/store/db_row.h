/* SPDX-License-Identifier: MulanPSL-2.0 */
/*
 * Rows read: what the stores share beside the statements themselves.
 */
#pragma once

#include "lib/base/buffer.h"
#include "lib/format/netaddr.h"
#include "server/store/db.h"

/* Copies a text; what does not fit was refused on its way in. */
void db_column_copy(struct sqlite3_stmt *stmt, int column, char *to, size_t size);

/* An address of six octets; anything else leaves *ret as it is. */
void db_column_mac(struct sqlite3_stmt *stmt, int column, struct mac *ret);

enum { DB_ABSENT = 1 }; /* what the stores call X_STORE_ABSENT */

/* Fills *ret from the current row. */
typedef void (*db_read_fn)(struct sqlite3_stmt *stmt, void *ret);

/* Reads the only row of a statement that is bound. Returns 0, DB_ABSENT, or -errno. */
int db_read_one(struct db *db, struct sqlite3_stmt *stmt, db_read_fn read, void *ret);

/*
 * Reads all rows into ret[], each of `size` bytes; binds :max, which the SQL must limit them to.
 * Returns how many, or -errno.
 */
int db_read_many(struct db *db, struct sqlite3_stmt *stmt, db_read_fn read, void *ret, size_t size,
                 int max);

/* Appends the first column of the only row. Returns 0, DB_ABSENT, or -errno. */
int db_read_text(struct db *db, struct sqlite3_stmt *stmt, struct buffer *out);

/* Prepares a statement with one key bound, a number or a text. Returns 0 or -errno. */
int db_prepare_i64(struct db *db, const char *sql, const char *name, int64_t key,
                   struct sqlite3_stmt **ret);
int db_prepare_text(struct db *db, const char *sql, const char *name, const char *key,
                    struct sqlite3_stmt **ret);

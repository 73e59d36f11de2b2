/* SPDX-License-Identifier: MulanPSL-2.0 */
#include "server/store/db_row.h"

#include <string.h>

#include "lib/base/text.h"

void db_column_copy(struct sqlite3_stmt *stmt, int column, char *to, size_t size)
{
	(void)text_copy(to, size, slice_from_text(db_column_text(stmt, column)));
}

void db_column_mac(struct sqlite3_stmt *stmt, int column, struct mac *ret)
{
	struct slice octets = db_column_slice(stmt, column);

	if (octets.len == sizeof(ret->octet))
		memcpy(ret->octet, octets.data, octets.len);
}

int db_read_one(struct db *db, struct sqlite3_stmt *stmt, db_read_fn read, void *ret)
{
	int r = db_step(db, stmt);

	if (r != DB_ROW)
		return r < 0 ? r : DB_ABSENT;
	read(stmt, ret);
	db_reset(stmt);
	return 0;
}

int db_read_many(struct db *db, struct sqlite3_stmt *stmt, db_read_fn read, void *ret, size_t size,
                 int max)
{
	char *next = ret;
	int n = 0, r;

	db_bind_i64(stmt, ":max", max);
	while ((r = db_step(db, stmt)) == DB_ROW) {
		read(stmt, next);
		next += size;
		n++;
	}
	return r < 0 ? r : n;
}

static void append_text(struct sqlite3_stmt *stmt, void *ret)
{
	buffer_append_slice(ret, db_column_slice(stmt, 0));
}

int db_read_text(struct db *db, struct sqlite3_stmt *stmt, struct buffer *out)
{
	int r = db_read_one(db, stmt, append_text, out);

	return r == 0 ? buffer_error(out) : r;
}

int db_prepare_i64(struct db *db, const char *sql, const char *name, int64_t key,
                   struct sqlite3_stmt **ret)
{
	int r = db_prepare(db, sql, ret);

	if (r == 0)
		db_bind_i64(*ret, name, key);
	return r;
}

int db_prepare_text(struct db *db, const char *sql, const char *name, const char *key,
                    struct sqlite3_stmt **ret)
{
	int r = db_prepare(db, sql, ret);

	if (r == 0)
		db_bind_text(*ret, name, key);
	return r;
}

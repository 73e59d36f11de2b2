/* SPDX-License-Identifier: MulanPSL-2.0 */
#include "server/store/file_store.h"

#include <sqlite3.h>

#include "lib/base/text.h"

static const char sql_put[] = "INSERT INTO files (attempt, name, size, sha256, stored_wall)"
			      " VALUES (:attempt, :name, :size, :sha256, :wall)"
			      " ON CONFLICT (attempt, name) DO UPDATE SET size = excluded.size,"
			      " sha256 = excluded.sha256, stored_wall = excluded.stored_wall";

static const char sql_find[] =
	"SELECT name, size, sha256 FROM files WHERE attempt = :attempt AND name = :name LIMIT 1";

static const char sql_list[] =
	"SELECT name, size, sha256 FROM files WHERE attempt = :attempt AND name > :after"
	" ORDER BY name LIMIT :max";

static void read_file(struct sqlite3_stmt *stmt, struct stored_file *ret)
{
	ret->size = db_column_i64(stmt, 1);
	(void)text_copy(ret->name, sizeof(ret->name), slice_from_text(db_column_text(stmt, 0)));
	(void)text_copy(ret->sha256, sizeof(ret->sha256),
	                slice_from_text(db_column_text(stmt, 2))); /* both fitted when put */
}

int file_store_put(struct db *db, int64_t attempt, const struct stored_file *file, uint64_t wall)
{
	struct sqlite3_stmt *stmt;
	int r = db_prepare(db, sql_put, &stmt);

	if (r < 0)
		return r;
	db_bind_i64(stmt, ":attempt", attempt);
	db_bind_text(stmt, ":name", file->name);
	db_bind_i64(stmt, ":size", file->size);
	db_bind_text(stmt, ":sha256", file->sha256);
	db_bind_i64(stmt, ":wall", (int64_t)wall);
	r = db_run(db, stmt);
	return r < 0 ? r : 0;
}

int file_store_find(struct db *db, int64_t attempt, const char *name, struct stored_file *ret)
{
	struct sqlite3_stmt *stmt;
	int r = db_prepare(db, sql_find, &stmt);

	if (r < 0)
		return r;
	db_bind_i64(stmt, ":attempt", attempt);
	db_bind_text(stmt, ":name", name);
	r = db_step(db, stmt);
	if (r <= 0)
		return r < 0 ? r : FILE_STORE_ABSENT;
	read_file(stmt, ret);
	db_reset(stmt);
	return 0;
}

int file_store_list(struct db *db, int64_t attempt, const char *after, struct stored_file *files,
                    int max)
{
	struct sqlite3_stmt *stmt;
	int n = 0;
	int r = db_prepare(db, sql_list, &stmt);

	if (r < 0)
		return r;
	db_bind_i64(stmt, ":attempt", attempt);
	db_bind_text(stmt, ":after", after);
	db_bind_i64(stmt, ":max", max);
	while ((r = db_step(db, stmt)) == DB_ROW)
		read_file(stmt, &files[n++]);
	return r < 0 ? r : n;
}

/* SPDX-License-Identifier: MulanPSL-2.0 */
#include "server/store/power_store.h"

#include <assert.h>
#include <sqlite3.h>

#include "lib/base/macro.h"
#include "server/store/db_row.h"

static_assert((int)POWER_STORE_ABSENT == (int)DB_ABSENT, "one outcome for what is not there");

#define POWER_COLUMNS                                                                              \
	"host, phase, goal, action, tries, is_asked, at_steady, cause, last_wall, last_action,"    \
	" last_error"

static const char sql_find[] = "SELECT " POWER_COLUMNS " FROM power WHERE host = :host LIMIT 1";

static const char sql_put[] =
	"INSERT OR REPLACE INTO power (" POWER_COLUMNS ") VALUES (:host, :phase, :goal, :action,"
	" :tries, :is_asked, :at, :cause, :last_wall, :last_action, :last_error)";

static const char sql_list[] = "SELECT " POWER_COLUMNS " FROM power WHERE phase = :phase"
			       " AND at_steady <= :steady ORDER BY at_steady, host LIMIT :max";

static const char sql_next[] =
	"SELECT at_steady FROM power WHERE phase = :phase ORDER BY at_steady LIMIT 1";

static int name_at(struct sqlite3_stmt *stmt, int column, int (*from)(struct slice name))
{
	return MAX(from(slice_from_text(db_column_text(stmt, column))), 0);
}

static void read_record(struct sqlite3_stmt *stmt, struct power_record *ret)
{
	*ret = (struct power_record){
		.power = {
			.phase = (enum power_phase)name_at(stmt, 1, power_phase_from_name),
			.goal = (enum power_action)name_at(stmt, 2, power_action_from_name),
			.action = (enum power_action)name_at(stmt, 3, power_action_from_name),
			.tries = (unsigned)db_column_i64(stmt, 4),
			.is_asked = db_column_i64(stmt, 5) != 0,
			.at_steady = (usec_t)db_column_i64(stmt, 6),
		},
		.last_wall = (usec_t)db_column_i64(stmt, 8),
		.last_action = (enum power_action)name_at(stmt, 9, power_action_from_name),
	};
	db_column_copy(stmt, 0, ret->host, sizeof(ret->host));
	db_column_copy(stmt, 7, ret->cause, sizeof(ret->cause));
	db_column_copy(stmt, 10, ret->last_error, sizeof(ret->last_error));
}

int power_store_find(struct db *db, const char *host, struct power_record *ret)
{
	struct sqlite3_stmt *stmt;
	int r = db_prepare_text(db, sql_find, ":host", host, &stmt);

	if (r < 0)
		return r;
	r = db_step(db, stmt);
	if (r <= 0)
		return r < 0 ? r : POWER_STORE_ABSENT;
	read_record(stmt, ret);
	db_reset(stmt);
	return 0;
}

int power_store_put(struct db *db, const struct power_record *record)
{
	const struct power *power = &record->power;
	struct sqlite3_stmt *stmt;
	int r = db_prepare(db, sql_put, &stmt);

	if (r < 0)
		return r;
	db_bind_text(stmt, ":host", record->host);
	db_bind_text(stmt, ":phase", power_phase_to_name((int)power->phase));
	db_bind_text(stmt, ":goal", power_action_to_name((int)power->goal));
	db_bind_text(stmt, ":action", power_action_to_name((int)power->action));
	db_bind_i64(stmt, ":tries", power->tries);
	db_bind_i64(stmt, ":is_asked", power->is_asked);
	db_bind_i64(stmt, ":at", (int64_t)power->at_steady);
	db_bind_text(stmt, ":cause", record->cause);
	db_bind_i64(stmt, ":last_wall", (int64_t)record->last_wall);
	db_bind_text(stmt, ":last_action", power_action_to_name((int)record->last_action));
	db_bind_text(stmt, ":last_error", record->last_error);
	r = db_run(db, stmt);
	return r < 0 ? r : 0;
}

int power_store_list(struct db *db, enum power_phase phase, usec_t steady,
                     struct power_record *records, int max)
{
	struct sqlite3_stmt *stmt;
	int n = 0;
	int r = db_prepare_text(db, sql_list, ":phase", power_phase_to_name((int)phase), &stmt);

	if (r < 0)
		return r;
	db_bind_i64(stmt, ":steady", (int64_t)usec_min(steady, INT64_MAX));
	db_bind_i64(stmt, ":max", max);
	while ((r = db_step(db, stmt)) == DB_ROW)
		read_record(stmt, &records[n++]);
	return r < 0 ? r : n;
}

int power_store_next(struct db *db, enum power_phase phase, usec_t *ret)
{
	struct sqlite3_stmt *stmt;
	int r = db_prepare_text(db, sql_next, ":phase", power_phase_to_name((int)phase), &stmt);

	if (r < 0)
		return r;
	r = db_step(db, stmt);
	if (r < 0)
		return r;
	*ret = r == DB_ROW ? (usec_t)db_column_i64(stmt, 0) : USEC_INFINITY;
	db_reset(stmt);
	return 0;
}

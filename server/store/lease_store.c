/* SPDX-License-Identifier: MulanPSL-2.0 */
#include "server/store/lease_store.h"

#include <sqlite3.h>

#include "lib/base/text.h"

#define COLUMNS "key, mac, address, expires_wall, seen_wall, arch, hostname, session, session_xid"

static const char sql_find[] = "SELECT " COLUMNS " FROM leases WHERE key = :key LIMIT 1";

static const char sql_find_by_mac[] = "SELECT " COLUMNS " FROM leases WHERE mac = :mac"
				      " ORDER BY seen_wall DESC LIMIT 1";

static const char sql_find_by_address[] =
	"SELECT " COLUMNS " FROM leases WHERE address = :address LIMIT 1";

static const char sql_list[] = "SELECT " COLUMNS " FROM leases WHERE address > :after"
			       " ORDER BY address LIMIT :max";

static const char sql_evict[] = "DELETE FROM leases WHERE address = :address AND key <> :key";

static const char sql_put[] =
	"INSERT INTO leases (key, mac, address, expires_wall, seen_wall, arch, hostname, session,"
	" session_xid) VALUES (:key, :mac, :address, :expires_wall, :seen_wall, :arch, :hostname,"
	" :session, :session_xid) ON CONFLICT (key) DO UPDATE SET mac = :mac, address = :address,"
	" expires_wall = :expires_wall, seen_wall = :seen_wall, arch = :arch,"
	" hostname = :hostname, session = :session, session_xid = :session_xid";

static const char sql_release[] = "UPDATE leases SET expires_wall = min(expires_wall, :now)"
				  " WHERE key = :key AND address = :address";

static const char sql_remove[] = "DELETE FROM leases WHERE key = :key AND address = :address";

static const char sql_shift[] = "UPDATE leases SET expires_wall = max(expires_wall + :delta, 0)"
				" WHERE expires_wall <> :for_ever";

static void bind_key(struct sqlite3_stmt *stmt, const struct lease_key *key)
{
	db_bind_blob(stmt, ":key", lease_key_slice(key));
}

static void bind_mac(struct sqlite3_stmt *stmt, const struct mac *mac)
{
	db_bind_blob(stmt, ":mac", slice_make(mac->octet, sizeof(mac->octet)));
}

static void read_row(struct sqlite3_stmt *stmt, struct lease *ret)
{
	struct slice key = db_column_slice(stmt, 0), mac;

	*ret = (struct lease){ .key.len = (uint8_t)key.len };
	memcpy(ret->key.octet, key.data, ret->key.len);
	mac = db_column_slice(stmt, 1);
	memcpy(ret->mac.octet, mac.data, sizeof(ret->mac.octet));
	ret->address = (uint32_t)db_column_i64(stmt, 2);
	ret->expires_wall = (usec_t)db_column_i64(stmt, 3);
	ret->seen_wall = (usec_t)db_column_i64(stmt, 4);
	ret->has_arch = !db_column_is_null(stmt, 5);
	ret->arch = (uint16_t)db_column_i64(stmt, 5);
	(void)text_copy(ret->hostname, sizeof(ret->hostname), db_column_slice(stmt, 6));
	ret->session = db_column_i64(stmt, 7);
	ret->session_xid = (uint32_t)db_column_i64(stmt, 8);
}

/* The one row of a bound look-up. */
static int find(struct db *db, struct sqlite3_stmt *stmt, struct lease *ret)
{
	int r = db_step(db, stmt);

	if (r < 0)
		return r;
	if (r == DB_DONE)
		return LEASE_ABSENT;
	read_row(stmt, ret);
	db_reset(stmt);
	return 0;
}

int lease_store_find(struct db *db, const struct lease_key *key, struct lease *ret)
{
	struct sqlite3_stmt *stmt;
	int r = db_prepare(db, sql_find, &stmt);

	if (r < 0)
		return r;
	bind_key(stmt, key);
	return find(db, stmt, ret);
}

int lease_store_find_by_mac(struct db *db, struct mac mac, struct lease *ret)
{
	struct sqlite3_stmt *stmt;
	int r = db_prepare(db, sql_find_by_mac, &stmt);

	if (r < 0)
		return r;
	bind_mac(stmt, &mac);
	return find(db, stmt, ret);
}

int lease_store_find_by_address(struct db *db, uint32_t address, struct lease *ret)
{
	struct sqlite3_stmt *stmt;
	int r = db_prepare(db, sql_find_by_address, &stmt);

	if (r < 0)
		return r;
	db_bind_i64(stmt, ":address", address);
	return find(db, stmt, ret);
}

static int evict(struct db *db, const struct lease *lease)
{
	struct sqlite3_stmt *stmt;
	int r = db_prepare(db, sql_evict, &stmt);

	if (r < 0)
		return r;
	db_bind_i64(stmt, ":address", lease->address);
	bind_key(stmt, &lease->key);
	return db_run(db, stmt);
}

int lease_store_apply(struct db *db, const struct lease *lease)
{
	struct sqlite3_stmt *stmt;
	int r;

	r = evict(db, lease);
	if (r < 0)
		return r;
	r = db_prepare(db, sql_put, &stmt);
	if (r < 0)
		return r;
	bind_key(stmt, &lease->key);
	bind_mac(stmt, &lease->mac);
	db_bind_i64(stmt, ":address", lease->address);
	db_bind_i64(stmt, ":expires_wall", (int64_t)lease->expires_wall);
	db_bind_i64(stmt, ":seen_wall", (int64_t)lease->seen_wall);
	if (lease->has_arch)
		db_bind_i64(stmt, ":arch", lease->arch);
	else
		db_bind_null(stmt, ":arch");
	db_bind_text(stmt, ":hostname", lease->hostname[0] ? lease->hostname : NULL);
	db_bind_i64(stmt, ":session", lease->session);
	db_bind_i64(stmt, ":session_xid", lease->session_xid);
	r = db_run(db, stmt);
	return r < 0 ? r : 0;
}

int lease_store_release(struct db *db, const struct lease_key *key, uint32_t address,
                        usec_t now_wall)
{
	struct sqlite3_stmt *stmt;
	int r = db_prepare(db, sql_release, &stmt);

	if (r < 0)
		return r;
	bind_key(stmt, key);
	db_bind_i64(stmt, ":address", address);
	db_bind_i64(stmt, ":now", (int64_t)now_wall);
	r = db_run(db, stmt);
	if (r < 0)
		return r;
	return r > 0 ? 0 : LEASE_ABSENT;
}

int lease_store_remove(struct db *db, const struct lease_key *key, uint32_t address)
{
	struct sqlite3_stmt *stmt;
	int r = db_prepare(db, sql_remove, &stmt);

	if (r < 0)
		return r;
	bind_key(stmt, key);
	db_bind_i64(stmt, ":address", address);
	r = db_run(db, stmt);
	if (r < 0)
		return r;
	return r > 0 ? 0 : LEASE_ABSENT;
}

int lease_store_list(struct db *db, int64_t after, struct lease leases[], int max)
{
	struct sqlite3_stmt *stmt;
	int n = 0;
	int r = db_prepare(db, sql_list, &stmt);

	if (r < 0)
		return r;
	db_bind_i64(stmt, ":after", after);
	db_bind_i64(stmt, ":max", max);
	while (n < max && (r = db_step(db, stmt)) == DB_ROW)
		read_row(stmt, &leases[n++]);
	if (r == DB_ROW)
		db_reset(stmt);
	return r < 0 ? r : n;
}

int lease_store_shift(struct db *db, int64_t delta)
{
	struct sqlite3_stmt *stmt;
	int r = db_prepare(db, sql_shift, &stmt);

	if (r < 0)
		return r;
	db_bind_i64(stmt, ":delta", delta);
	db_bind_i64(stmt, ":for_ever", (int64_t)LEASE_FOR_EVER);
	r = db_run(db, stmt);
	return r < 0 ? r : 0;
}

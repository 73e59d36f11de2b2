/* SPDX-License-Identifier: MulanPSL-2.0 */
#include "server/store/host_store.h"

#include <assert.h>
#include <errno.h>
#include <sqlite3.h>
#include <string.h>

#include "lib/base/text.h"
#include "server/store/db_row.h"

static_assert((int)HOST_STORE_ABSENT == (int)DB_ABSENT, "one outcome for what is not there");

#define HOST_COLUMNS                                                                               \
	"name, state, flags, reason, arch, memory, seen_wall, reserved_for,"                       \
	" reserved_until_steady, checks_passed, n_hdd, n_ssd, tags"

static const char sql_find[] = "SELECT " HOST_COLUMNS " FROM hosts WHERE name = :name LIMIT 1";

static const char sql_find_by_mac[] = "SELECT " HOST_COLUMNS " FROM hosts WHERE name ="
				      " (SELECT host FROM host_macs WHERE mac = :mac) LIMIT 1";

static const char sql_list[] =
	"SELECT " HOST_COLUMNS " FROM hosts WHERE name > :after ORDER BY name LIMIT :max";

static const char sql_queues[] =
	"SELECT queue FROM host_queues WHERE host = :host ORDER BY queue LIMIT :max";

static const char sql_queues_between[] =
	"SELECT host, queue FROM host_queues WHERE host BETWEEN :first AND :last"
	" ORDER BY host, queue LIMIT :max";

static const char sql_document[] = "SELECT document FROM hosts WHERE name = :name LIMIT 1";

static const char sql_macs[] =
	"SELECT mac FROM host_macs WHERE host = :host ORDER BY mac LIMIT :max";

static const char sql_insert[] =
	"INSERT INTO hosts (name, state, flags, reason, arch, memory, seen_wall, n_hdd, n_ssd, tags)"
	" VALUES (:name, :state, :flags, :reason, :arch, :memory, :seen, :n_hdd, :n_ssd, :tags)";

static const char sql_update[] =
	"UPDATE hosts SET flags = :flags, reason = :reason, arch = :arch, memory = :memory,"
	" reserved_for = :reserved_for, reserved_until_steady = :reserved_until,"
	" checks_passed = :checks_passed, n_hdd = :n_hdd, n_ssd = :n_ssd, tags = :tags"
	" WHERE name = :name";

static const char sql_move[] = "UPDATE hosts SET state = :to WHERE name = :name AND state = :from";

static const char sql_see[] = "UPDATE hosts SET seen_wall = :wall WHERE name = :name";

static const char sql_set_document[] = "UPDATE hosts SET document = :json WHERE name = :name";

static const char sql_set_mac[] = "INSERT INTO host_macs (mac, host) VALUES (:mac, :host)"
				  " ON CONFLICT (mac) DO UPDATE SET host = excluded.host";

static const char sql_delete_mac[] = "DELETE FROM host_macs WHERE mac = :mac";

static const char sql_delete_macs_of[] = "DELETE FROM host_macs WHERE host = :host";

static const char sql_clear_queues[] = "DELETE FROM host_queues WHERE host = :host";

static const char sql_add_queue[] =
	"INSERT OR IGNORE INTO host_queues (host, queue) VALUES (:host, :queue)";

static const char sql_delete[] = "DELETE FROM hosts WHERE name = :name";

static const char sql_count_discovered[] = "SELECT count(*) FROM hosts WHERE flags & :discovered";

static const char sql_forget[] = "DELETE FROM hosts WHERE flags & :discovered"
				 " AND name NOT IN (SELECT host FROM host_macs)"
				 " AND name NOT IN (SELECT host FROM attempts WHERE is_open = 1)";

static const char sql_machine_at[] =
	"SELECT l.mac, l.address, l.session, m.host FROM leases l"
	" LEFT JOIN host_macs m ON m.mac = l.mac WHERE l.address = :address LIMIT 1";

/* A card with several leases (key: client-id) has its boot session in that of its iPXE. */
static const char sql_lease_of[] = "SELECT address, session FROM leases WHERE mac = :mac"
				   " ORDER BY session = 0, seen_wall DESC LIMIT 1";

static const char sql_host_of[] = "SELECT host FROM host_macs WHERE mac = :mac LIMIT 1";

static struct slice mac_slice(const struct mac *mac)
{
	return slice_make(mac->octet, sizeof(mac->octet));
}

static void read_host(struct sqlite3_stmt *stmt, struct host *ret)
{
	*ret = (struct host){
		.state = (enum host_state)host_state_from_name(
			slice_from_text(db_column_text(stmt, 1))),
		.flags = (unsigned)db_column_i64(stmt, 2),
		.memory = (uint64_t)db_column_i64(stmt, 5),
		.seen_wall = (usec_t)db_column_i64(stmt, 6),
		.reserved_until_steady = (usec_t)db_column_i64(stmt, 8),
		.checks_passed = (unsigned)db_column_i64(stmt, 9),
		.n_hdd = (int)db_column_i64(stmt, 10),
		.n_ssd = (int)db_column_i64(stmt, 11),
	};
	db_column_copy(stmt, 7, ret->reserved_for, sizeof(ret->reserved_for));
	db_column_copy(stmt, 12, ret->tags, sizeof(ret->tags));
	db_column_copy(stmt, 0, ret->name, sizeof(ret->name));
	db_column_copy(stmt, 3, ret->reason, sizeof(ret->reason));
	db_column_copy(stmt, 4, ret->arch, sizeof(ret->arch));
}

static int read_queues(struct db *db, struct host *host)
{
	struct sqlite3_stmt *stmt;
	int r = db_prepare(db, sql_queues, &stmt);

	if (r < 0)
		return r;
	db_bind_text(stmt, ":host", host->name);
	db_bind_i64(stmt, ":max", HOST_QUEUES_MAX);
	while ((r = db_step(db, stmt)) == DB_ROW)
		if (host->n_queues < HOST_QUEUES_MAX)
			db_column_copy(stmt, 0, host->queues[host->n_queues++], HOST_QUEUE_MAX);
	return r;
}

/* Of hosts in the order of their names: one look for all. */
static int read_queues_of_all(struct db *db, struct host *hosts, int n)
{
	struct sqlite3_stmt *stmt;
	int i = 0;
	int r = n > 0 ? db_prepare(db, sql_queues_between, &stmt) : 0;

	if (r < 0 || n == 0)
		return r;
	db_bind_text(stmt, ":first", hosts[0].name);
	db_bind_text(stmt, ":last", hosts[n - 1].name);
	db_bind_i64(stmt, ":max", INT64_MAX);
	while ((r = db_step(db, stmt)) == DB_ROW) {
		const char *name = db_column_text(stmt, 0);

		/* names that only have queues stand between those of hosts */
		while (i < n - 1 && strcmp(hosts[i].name, name) < 0)
			i++;
		if (strcmp(hosts[i].name, name) == 0 && hosts[i].n_queues < HOST_QUEUES_MAX)
			db_column_copy(stmt, 1, hosts[i].queues[hosts[i].n_queues++],
			               HOST_QUEUE_MAX);
	}
	return r;
}

static int one_host(struct db *db, struct sqlite3_stmt *stmt, struct host *ret)
{
	struct host host;
	int r = db_step(db, stmt);

	if (r <= 0)
		return r < 0 ? r : HOST_STORE_ABSENT;
	read_host(stmt, &host);
	db_reset(stmt);
	r = read_queues(db, &host);
	if (r < 0)
		return r;
	*ret = host;
	return 0;
}

int host_store_find(struct db *db, const char *name, struct host *ret)
{
	struct sqlite3_stmt *stmt;
	int r = db_prepare_text(db, sql_find, ":name", name, &stmt);

	return r < 0 ? r : one_host(db, stmt, ret);
}

int host_store_find_by_mac(struct db *db, struct mac mac, struct host *ret)
{
	struct sqlite3_stmt *stmt;
	int r = db_prepare(db, sql_find_by_mac, &stmt);

	if (r < 0)
		return r;
	db_bind_blob(stmt, ":mac", mac_slice(&mac));
	return one_host(db, stmt, ret);
}

int host_store_list(struct db *db, const char *after, struct host *hosts, int max)
{
	struct sqlite3_stmt *stmt;
	int n = 0;
	int r = db_prepare(db, sql_list, &stmt);

	if (r < 0)
		return r;
	db_bind_text(stmt, ":after", after);
	db_bind_i64(stmt, ":max", max);
	while ((r = db_step(db, stmt)) == DB_ROW)
		read_host(stmt, &hosts[n++]);
	if (r == 0)
		r = read_queues_of_all(db, hosts, n);
	return r < 0 ? r : n;
}

int host_store_document(struct db *db, const char *name, struct buffer *out)
{
	struct sqlite3_stmt *stmt;
	int r = db_prepare_text(db, sql_document, ":name", name, &stmt);

	return r < 0 ? r : db_read_text(db, stmt, out);
}

int host_store_macs(struct db *db, const char *name, struct mac *macs, int max)
{
	struct sqlite3_stmt *stmt;
	int n = 0;
	int r = db_prepare(db, sql_macs, &stmt);

	if (r < 0)
		return r;
	db_bind_text(stmt, ":host", name);
	db_bind_i64(stmt, ":max", max);
	while ((r = db_step(db, stmt)) == DB_ROW)
		db_column_mac(stmt, 0, &macs[n++]);
	return r < 0 ? r : n;
}

static void bind_host(struct sqlite3_stmt *stmt, const struct host *host)
{
	db_bind_text(stmt, ":name", host->name);
	db_bind_i64(stmt, ":flags", host->flags);
	db_bind_text(stmt, ":reason", host->reason);
	db_bind_text(stmt, ":arch", host->arch);
	db_bind_i64(stmt, ":memory", (int64_t)host->memory);
	db_bind_i64(stmt, ":n_hdd", host->n_hdd);
	db_bind_i64(stmt, ":n_ssd", host->n_ssd);
	db_bind_text(stmt, ":tags", host->tags);
}

int host_store_insert(struct db *db, const struct host *host)
{
	struct sqlite3_stmt *stmt;
	int r = db_prepare(db, sql_insert, &stmt);

	if (r < 0)
		return r;
	bind_host(stmt, host);
	db_bind_text(stmt, ":state", host_state_to_name(host->state));
	db_bind_i64(stmt, ":seen", (int64_t)host->seen_wall);
	r = db_run(db, stmt);
	return r < 0 ? r : 0;
}

int host_store_update(struct db *db, const struct host *host)
{
	struct sqlite3_stmt *stmt;
	int r = db_prepare(db, sql_update, &stmt);

	if (r < 0)
		return r;
	bind_host(stmt, host);
	db_bind_text(stmt, ":reserved_for", host->reserved_for);
	db_bind_i64(stmt, ":reserved_until", (int64_t)host->reserved_until_steady);
	db_bind_i64(stmt, ":checks_passed", host->checks_passed);
	r = db_run(db, stmt);
	return r < 0 ? r : 0;
}

int host_store_move(struct db *db, const char *name, enum host_state from, enum host_state to)
{
	struct sqlite3_stmt *stmt;
	int r = db_prepare(db, sql_move, &stmt);

	if (r < 0)
		return r;
	db_bind_text(stmt, ":name", name);
	db_bind_text(stmt, ":from", host_state_to_name(from));
	db_bind_text(stmt, ":to", host_state_to_name(to));
	r = db_run(db, stmt);
	if (r < 0)
		return r;
	return r == 0 ? HOST_STORE_STALE : 0;
}

int host_store_see(struct db *db, const char *name, usec_t wall)
{
	struct sqlite3_stmt *stmt;
	int r = db_prepare(db, sql_see, &stmt);

	if (r < 0)
		return r;
	db_bind_text(stmt, ":name", name);
	db_bind_i64(stmt, ":wall", (int64_t)wall);
	r = db_run(db, stmt);
	return r < 0 ? r : 0;
}

int host_store_set_document(struct db *db, const char *name, const char *json)
{
	struct sqlite3_stmt *stmt;
	int r = db_prepare(db, sql_set_document, &stmt);

	if (r < 0)
		return r;
	db_bind_text(stmt, ":name", name);
	db_bind_text(stmt, ":json", json);
	r = db_run(db, stmt);
	return r < 0 ? r : 0;
}

int host_store_set_mac(struct db *db, struct mac mac, const char *name)
{
	struct sqlite3_stmt *stmt;
	int r = db_prepare(db, sql_set_mac, &stmt);

	if (r < 0)
		return r;
	db_bind_blob(stmt, ":mac", mac_slice(&mac));
	db_bind_text(stmt, ":host", name);
	r = db_run(db, stmt);
	return r < 0 ? r : 0;
}

int host_store_delete_mac(struct db *db, struct mac mac)
{
	struct sqlite3_stmt *stmt;
	int r = db_prepare(db, sql_delete_mac, &stmt);

	if (r < 0)
		return r;
	db_bind_blob(stmt, ":mac", mac_slice(&mac));
	r = db_run(db, stmt);
	if (r < 0)
		return r;
	return r == 0 ? HOST_STORE_ABSENT : 0;
}

static int run_for_host(struct db *db, const char *sql, const char *name)
{
	struct sqlite3_stmt *stmt;
	int r = db_prepare(db, sql, &stmt);

	if (r < 0)
		return r;
	db_bind_text(stmt, ":host", name);
	r = db_run(db, stmt);
	return r < 0 ? r : 0;
}

int host_store_delete_macs_of(struct db *db, const char *name)
{
	return run_for_host(db, sql_delete_macs_of, name);
}

int host_store_set_queues(struct db *db, const char *name, const struct slice *queues, size_t n)
{
	struct sqlite3_stmt *stmt;
	int r = run_for_host(db, sql_clear_queues, name);

	for (size_t i = 0; i < n && r >= 0; i++) {
		r = db_prepare(db, sql_add_queue, &stmt);
		if (r < 0)
			return r;
		db_bind_text(stmt, ":host", name);
		db_bind_slice(stmt, ":queue", queues[i]);
		r = db_run(db, stmt);
	}
	return r < 0 ? r : 0;
}

int host_store_delete(struct db *db, const char *name)
{
	struct sqlite3_stmt *stmt;
	int r = run_for_host(db, sql_clear_queues, name);

	if (r < 0)
		return r;
	r = db_prepare(db, sql_delete, &stmt);
	if (r < 0)
		return r;
	db_bind_text(stmt, ":name", name);
	r = db_run(db, stmt);
	if (r < 0)
		return r;
	return r == 0 ? HOST_STORE_ABSENT : 0;
}

int host_store_count_discovered(struct db *db)
{
	struct sqlite3_stmt *stmt;
	int n, r = db_prepare(db, sql_count_discovered, &stmt);

	if (r < 0)
		return r;
	db_bind_i64(stmt, ":discovered", HOST_FLAG_DISCOVERED);
	r = db_step(db, stmt);
	if (r <= 0)
		return r;
	n = (int)db_column_i64(stmt, 0);
	db_reset(stmt);
	return n;
}

int host_store_forget_discovered(struct db *db)
{
	struct sqlite3_stmt *stmt;
	int r = db_prepare(db, sql_forget, &stmt);

	if (r < 0)
		return r;
	db_bind_i64(stmt, ":discovered", HOST_FLAG_DISCOVERED);
	r = db_run(db, stmt);
	return r < 0 ? r : 0;
}

int host_store_machine_at(struct db *db, uint32_t address, struct known_machine *ret)
{
	struct sqlite3_stmt *stmt;
	int r = db_prepare(db, sql_machine_at, &stmt);

	if (r < 0)
		return r;
	db_bind_i64(stmt, ":address", address);
	r = db_step(db, stmt);
	if (r <= 0)
		return r < 0 ? r : HOST_STORE_ABSENT;
	*ret = (struct known_machine){ .address = (uint32_t)db_column_i64(stmt, 1),
		                       .session = db_column_i64(stmt, 2) };
	db_column_mac(stmt, 0, &ret->mac);
	db_column_copy(stmt, 3, ret->name, sizeof(ret->name));
	db_reset(stmt);
	return 0;
}

int host_store_machine_of(struct db *db, struct mac mac, struct known_machine *ret)
{
	struct known_machine machine = { .mac = mac };
	struct sqlite3_stmt *stmt;
	bool is_known = false;
	int r = db_prepare(db, sql_lease_of, &stmt);

	if (r < 0)
		return r;
	db_bind_blob(stmt, ":mac", mac_slice(&mac));
	r = db_step(db, stmt);
	if (r == DB_ROW) {
		is_known = true;
		machine.address = (uint32_t)db_column_i64(stmt, 0);
		machine.session = db_column_i64(stmt, 1);
		db_reset(stmt);
	}
	if (r >= 0)
		r = db_prepare(db, sql_host_of, &stmt);
	if (r < 0)
		return r;
	db_bind_blob(stmt, ":mac", mac_slice(&mac));
	r = db_step(db, stmt);
	if (r < 0)
		return r;
	if (r == DB_ROW) {
		is_known = true;
		db_column_copy(stmt, 0, machine.name, sizeof(machine.name));
		db_reset(stmt);
	}
	*ret = machine;
	return is_known ? 0 : HOST_STORE_ABSENT;
}

/* SPDX-License-Identifier: MulanPSL-2.0 */
#include "tests/support/test.h"

#include <errno.h>
#include <sqlite3.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/base/macro.h"
#include "server/store/db.h"
#include "server/store/attempt_store.h"
#include "server/store/event_store.h"
#include "server/store/host_store.h"
#include "server/store/job_store.h"
#include "server/store/lane_store.h"
#include "server/store/schema.h"

DEFINE_FREEP(struct db, db_close);

static void a_new_store_holds_events_in_order(void **state)
{
	CLEANUP(db_closep) struct db *db = NULL;
	struct event in = { .kind = EVENT_BOOT_OFFER,
		            .wall = 5,
		            .mono = 6,
		            .host = "vm-1",
		            .job = 3,
		            .mac = { { 1, 2, 3, 4, 5, 6 } },
		            .fields = "{\"bytes\":1}" };
	struct event out[3];

	assert_int_equal(db_open(":memory:", &db), 0);
	assert_int_equal(db_begin(db), 0);
	assert_int_equal(event_store_append(db, &in), 0);
	in.kind = EVENT_AGENT_HELLO;
	in.job = 0;
	assert_int_equal(event_store_append(db, &in), 0);
	assert_int_equal(db_commit(db), 0);
	assert_int_equal(event_store_list(db, 0, 0, out, 3), 2);
	assert_int_equal(out[0].kind, EVENT_BOOT_OFFER);
	assert_int_equal(out[1].kind, EVENT_AGENT_HELLO);
	assert_true(mac_equal(out[0].mac, in.mac));
	assert_string_equal(out[0].fields, "{\"bytes\":1}");
	assert_int_equal(event_store_list(db, 3, 0, out, 3), 1);
	assert_int_equal(event_store_list(db, 0, out[0].id, out, 3), 1);
}

/* path: a template of mkstemp; from then on the file. */
static struct db *open_new(char *path)
{
	struct db *db = NULL;

	assert_int_equal(close(mkstemp(path)), 0);
	assert_int_equal(db_open(path, &db), 0);
	return db;
}

/* With what SQLite keeps beside it. */
static void remove_store(const char *path)
{
	static const char *const beside[] = { "-wal", "-shm" };
	char name[128];

	assert_int_equal(unlink(path), 0);
	for (size_t i = 0; i < ARRAY_SIZE(beside); i++) {
		(void)snprintf(name, sizeof(name), "%s%s", path, beside[i]);
		assert_true(unlink(name) == 0 || errno == ENOENT);
	}
}

static void what_was_not_committed_is_gone(void **state)
{
	char path[] = "/tmp/cci-db-XXXXXX";
	const struct event event = { .kind = EVENT_DHCP_ACK };
	struct event out[2];
	struct db *db = open_new(path);

	assert_int_equal(db_begin(db), 0);
	assert_int_equal(event_store_append(db, &event), 0);
	assert_int_equal(db_commit(db), 0);
	assert_int_equal(db_begin(db), 0);
	assert_int_equal(event_store_append(db, &event), 0);
	db_close(db);
	assert_int_equal(db_open(path, &db), 0);
	assert_int_equal(event_store_list(db, 0, 0, out, 2), 1);
	db_close(db);
	remove_store(path);
}

static void append(struct db *db)
{
	const struct event event = { .kind = EVENT_DHCP_ACK };

	assert_int_equal(event_store_append(db, &event), 0);
}

/* How many events another connection sees: what is on the disk. */
static int count_on_disk(const char *path)
{
	struct event out[8];
	struct db *db = NULL;
	int n;

	assert_int_equal(db_open(path, &db), 0);
	n = event_store_list(db, 0, 0, out, 8);
	db_close(db);
	return n;
}

static void a_group_is_kept_at_once_and_each_part_may_be_taken_back(void **state)
{
	char path[] = "/tmp/cci-db-XXXXXX";
	struct db *db = open_new(path);

	for (int i = 0; i < 3; i++) {
		db_group_enter(db);
		assert_int_equal(db_begin(db), 0);
		append(db);
		if (i == 1)
			db_rollback(db);
		else
			assert_int_equal(db_commit(db), 0);
		assert_false(db_in_transaction(db));
		db_group_leave(db);
	}
	assert_true(db_group_is_open(db));
	assert_int_equal(count_on_disk(path), 0);
	assert_int_equal(db_group_commit(db), 0);
	assert_false(db_group_is_open(db));
	assert_int_equal(count_on_disk(path), 2);
	db_close(db);
	remove_store(path);
}

static void who_knows_no_groups_can_rely_on_a_commit(void **state)
{
	char path[] = "/tmp/cci-db-XXXXXX";
	struct db *db = open_new(path);

	db_group_enter(db);
	assert_int_equal(db_begin(db), 0);
	append(db);
	assert_int_equal(db_commit(db), 0);
	db_group_leave(db);
	assert_int_equal(db_begin(db), 0);
	assert_int_equal(count_on_disk(path), 1); /* the group has ended */
	append(db);
	assert_int_equal(db_commit(db), 0);
	assert_int_equal(count_on_disk(path), 2);
	assert_int_equal(db_group_commit(db), 0);
	db_close(db);
	remove_store(path);
}

/* An early end that fails is told to whoever asks for the group, with its cause. */
static void a_lost_group_is_told(void **state)
{
	char path[] = "/tmp/cci-db-XXXXXX";
	sqlite3_stmt *stmt;
	struct db *db = open_new(path);

	db_group_enter(db);
	assert_int_equal(db_begin(db), 0);
	append(db);
	append(db);
	/* takes everything back by itself, as SQLite does when the disk is full */
	assert_int_equal(db_prepare(db, "UPDATE OR ROLLBACK events SET id = 1", &stmt), 0);
	assert_int_equal(db_run(db, stmt), -EEXIST);
	db_rollback(db);
	db_group_leave(db);
	assert_true(db_group_is_open(db));
	assert_int_equal(db_group_commit(db), -EEXIST);
	assert_int_equal(db_group_commit(db), 0);
	assert_int_equal(count_on_disk(path), 0);
	assert_int_equal(db_begin(db), 0);
	append(db);
	assert_int_equal(db_commit(db), 0);
	assert_int_equal(count_on_disk(path), 1);
	db_close(db);
	remove_store(path);
}

static void a_store_from_the_future_is_refused(void **state)
{
	char path[] = "/tmp/cci-db-XXXXXX";
	struct db *db = NULL;
	struct stat before, after;
	char beside[64];
	sqlite3 *raw;

	assert_int_equal(close(mkstemp(path)), 0);
	assert_int_equal(sqlite3_open(path, &raw), SQLITE_OK);
	assert_int_equal(sqlite3_exec(raw, "PRAGMA user_version = 999", NULL, NULL, NULL),
	                 SQLITE_OK);
	assert_int_equal(sqlite3_close(raw), SQLITE_OK);
	assert_int_equal(lstat(path, &before), 0);
	assert_int_equal(db_open(path, &db), -EPROTONOSUPPORT);
	assert_null(db);
	assert_int_equal(lstat(path, &after), 0);
	assert_int_equal(after.st_size, before.st_size);
	assert_memory_equal(&after.st_ctim, &before.st_ctim, sizeof(after.st_ctim));
	(void)snprintf(beside, sizeof(beside), "%s-wal", path);
	assert_int_equal(access(beside, F_OK), -1);
	remove_store(path);
}

static void a_damaged_store_is_refused(void **state)
{
	char path[] = "/tmp/cci-db-XXXXXX";
	struct db *db = NULL;
	int fd = mkstemp(path);
	char text[8192];

	memset(text, 'x', sizeof(text));
	assert_int_equal(write(fd, text, sizeof(text)), sizeof(text));
	assert_int_equal(close(fd), 0);
	assert_int_equal(db_open(path, &db), -EUCLEAN);
	assert_null(db);
	remove_store(path);
}

/* Runs SQL on a store as an older ccid left it. */
static void write_old_store(const char *path, size_t version, const char *rows)
{
	char pragma[64];
	sqlite3 *raw;

	(void)snprintf(pragma, sizeof(pragma), "PRAGMA user_version = %zu", version);
	assert_int_equal(sqlite3_open(path, &raw), SQLITE_OK);
	for (size_t i = 0; i < version; i++)
		assert_int_equal(sqlite3_exec(raw, schema_migrations[i], NULL, NULL, NULL),
		                 SQLITE_OK);
	assert_int_equal(sqlite3_exec(raw, pragma, NULL, NULL, NULL), SQLITE_OK);
	assert_int_equal(sqlite3_exec(raw, rows, NULL, NULL, NULL), SQLITE_OK);
	assert_int_equal(sqlite3_close(raw), SQLITE_OK);
}

#define OLD_ROWS                                                                                   \
	"INSERT INTO hosts (name, state) VALUES ('vm-1', 'busy');"                                 \
	"INSERT INTO jobs (id, state, suite, testbox, tbox_group, queue, document, max_tries,"     \
	" run_limit, expires_steady, submitted_wall) VALUES"                                       \
	" (1, 'active', 's', 'vm-1', 'vm', 'vm', '{\"my_account\":\"ann\"}', 3, 60000000, 9, 1),"  \
	" (2, 'queued', 's', 'vm', 'vm', 'vm', '{\"my_email\":\"bob@x\"}', 3, 60000000, 9, 2),"    \
	" (3, 'queued', 's', 'vm', 'vm', 'vm', '{\"my_account\":7}', 3, 60000000, 9, 3);"          \
	"INSERT INTO attempts (job, host, mac, state, is_open, session, token, address, server,"   \
	" kernel_path, script, deadline_steady, seen_steady, offered_wall) VALUES"                 \
	" (1, 'vm-1', x'525400123456', 'running', 1, 7, 't', 1, 2, '', '', 500000000, 1, 1);"

static void an_older_store_is_brought_up_to_date(void **state)
{
	static const char *const submitters[] = { "ann", "bob@x", "7" };
	char path[] = "/tmp/cci-db-XXXXXX";
	CLEANUP(db_closep) struct db *db = NULL;
	struct attempt attempt;
	struct sched_candidate heads[4];
	struct job_record job;
	struct host host;

	assert_int_equal(close(mkstemp(path)), 0);
	write_old_store(path, 1, OLD_ROWS);
	assert_int_equal(db_open(path, &db), 0);
	remove_store(path);                                                 /* held open */
	assert_int_equal(lane_store_heads(db, "[\"vm\"]", 0, heads, 4), 2); /* two submitters */
	assert_int_equal(heads[0].job, 2);
	assert_int_equal(heads[1].job, 3);
	for (int i = 0; i < 3; i++) {
		assert_int_equal(job_store_find(db, i + 1, &job), 0);
		assert_int_not_equal(job.lane, 0);
		assert_string_equal(job.submitter, submitters[i]);
		assert_int_equal(job.kind, JOB_KIND_USER);
		assert_false(job.is_held);
	}
	assert_int_equal(attempt_store_find(db, 1, &attempt), 0);
	assert_int_equal(attempt.run_limit, 60 * USEC_PER_SEC);
	assert_int_equal(attempt.run_until_steady, 440 * USEC_PER_SEC);
	assert_int_equal(host_store_find(db, "vm-1", &host), 0);
	assert_int_equal(host.checks_passed, 0);
	assert_int_equal(host.n_hdd, HOST_DISKS_UNKNOWN);
}

/* S1, S2, S4: what no ccid may write, the store refuses. */
static void the_schema_itself_refuses_a_double_run(void **state)
{
	static const char *const refused[] = {
		"INSERT INTO attempts SELECT 2, job, 'vm-2', mac, state, 1, session, 'u', boot_id,"
		" address, server, kernel_path, script, verdict, cause, 1, 1, 1, 0, 0, 1, 0, '', 0, 0"
		" FROM attempts",
		"INSERT INTO attempts SELECT 2, 2, host, mac, state, 1, session, 'u', boot_id,"
		" address, server, kernel_path, script, verdict, cause, 1, 1, 1, 0, 0, 1, 0, '', 0, 0"
		" FROM attempts",
		"INSERT INTO manifests VALUES (1, 'a', 1), (1, 'b', 2)",
	};
	char path[] = "/tmp/cci-db-XXXXXX";
	sqlite3 *raw;

	assert_int_equal(close(mkstemp(path)), 0);
	write_old_store(path, schema_n_migrations, OLD_ROWS);
	assert_int_equal(sqlite3_open(path, &raw), SQLITE_OK);
	for (size_t i = 0; i < ARRAY_SIZE(refused); i++)
		if (sqlite3_exec(raw, refused[i], NULL, NULL, NULL) != SQLITE_CONSTRAINT)
			fail_msg("%zu: %s", i, sqlite3_errmsg(raw));
	assert_int_equal(sqlite3_close(raw), SQLITE_OK);
	remove_store(path);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_new_store_holds_events_in_order),
		cmocka_unit_test(what_was_not_committed_is_gone),
		cmocka_unit_test(a_group_is_kept_at_once_and_each_part_may_be_taken_back),
		cmocka_unit_test(who_knows_no_groups_can_rely_on_a_commit),
		cmocka_unit_test(a_lost_group_is_told),
		cmocka_unit_test(a_store_from_the_future_is_refused),
		cmocka_unit_test(a_damaged_store_is_refused),
		cmocka_unit_test(an_older_store_is_brought_up_to_date),
		cmocka_unit_test(the_schema_itself_refuses_a_double_run),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

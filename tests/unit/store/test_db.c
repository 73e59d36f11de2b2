/* SPDX-License-Identifier: MulanPSL-2.0 */
#include "tests/support/test.h"

#include <sqlite3.h>
#include <stdlib.h>
#include <unistd.h>

#include "lib/base/macro.h"
#include "server/store/db.h"
#include "server/store/event_store.h"

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

static void what_was_not_committed_is_gone(void **state)
{
	char path[] = "/tmp/cci-db-XXXXXX";
	const struct event event = { .kind = EVENT_DHCP_ACK };
	struct event out[2];
	struct db *db = NULL;

	assert_int_equal(close(mkstemp(path)), 0);
	assert_int_equal(db_open(path, &db), 0);
	assert_int_equal(db_begin(db), 0);
	assert_int_equal(event_store_append(db, &event), 0);
	assert_int_equal(db_commit(db), 0);
	assert_int_equal(db_begin(db), 0);
	assert_int_equal(event_store_append(db, &event), 0);
	db_close(db);
	assert_int_equal(db_open(path, &db), 0);
	assert_int_equal(event_store_list(db, 0, 0, out, 2), 1);
	db_close(db);
	assert_int_equal(unlink(path), 0);
}

static void a_store_from_the_future_is_refused(void **state)
{
	char path[] = "/tmp/cci-db-XXXXXX";
	struct db *db = NULL;
	sqlite3 *raw;

	assert_int_equal(close(mkstemp(path)), 0);
	assert_int_equal(sqlite3_open(path, &raw), SQLITE_OK);
	assert_int_equal(sqlite3_exec(raw, "PRAGMA user_version = 999", NULL, NULL, NULL),
	                 SQLITE_OK);
	assert_int_equal(sqlite3_close(raw), SQLITE_OK);
	assert_int_equal(db_open(path, &db), -EUCLEAN);
	assert_null(db);
	assert_int_equal(unlink(path), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_new_store_holds_events_in_order),
		cmocka_unit_test(what_was_not_committed_is_gone),
		cmocka_unit_test(a_store_from_the_future_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

/* SPDX-License-Identifier: MulanPSL-2.0 */
#include "tests/support/test.h"

#include <stdlib.h>
#include <unistd.h>

#include "server/store/db.h"
#include "server/store/db_backup.h"
#include "server/store/event_store.h"

static char directory[] = "/tmp/cci-backup-XXXXXX";

static int enter(void **state)
{
	return mkdtemp(directory) && chdir(directory) == 0 ? 0 : -1;
}

static int leave(void **state)
{
	for (const char *const *f =
	             (const char *const[]){ "db", "db-wal", "db-shm", "db.backup", "copy", NULL };
	     *f; f++)
		(void)unlink(*f);
	return rmdir(directory); /* fails when something else was left */
}

static void a_copy_is_taken_while_the_store_is_open(void **state)
{
	const struct event event = { .kind = EVENT_DHCP_ACK };
	struct event out[8];
	struct db *db, *copy;

	assert_int_equal(db_open("db", &db), 0);
	for (int round = 1; round <= 2; round++) { /* the second replaces the first copy */
		assert_int_equal(db_begin(db), 0);
		assert_int_equal(event_store_append(db, &event), 0);
		assert_int_equal(db_commit(db), 0);
		assert_int_equal(db_backup("db", "copy"), 0);
		assert_int_equal(db_open("copy", &copy), 0);
		assert_int_equal(event_store_list(copy, 0, 0, out, 8), round);
		db_close(copy);
		(void)unlink("copy-wal");
		(void)unlink("copy-shm");
	}
	db_close(db);
}

static void without_a_store_there_is_no_copy(void **state)
{
	assert_int_equal(db_backup("none", "copy2"), -ENOENT);
	assert_int_equal(access("copy2", F_OK), -1);
	assert_int_equal(access("copy2.part", F_OK), -1);
	assert_true(db_backup("db", "no-such-directory/copy") < 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_copy_is_taken_while_the_store_is_open),
		cmocka_unit_test(without_a_store_there_is_no_copy),
	};

	return cmocka_run_group_tests(tests, enter, leave);
}

/* SPDX-License-Identifier: MulanPSL-2.0 */
#include "tests/support/test.h"

#include <stdlib.h>
#include <unistd.h>

#include "lib/base/macro.h"
#include "server/store/lease_store.h"

DEFINE_FREEP(struct db, db_close);

static struct lease make(uint8_t number, uint32_t address)
{
	struct mac mac = { { 0x52, 0x54, 0, 0, 0, number } };

	return (struct lease){ .key = lease_key_from_mac(mac),
		               .mac = mac,
		               .address = address,
		               .expires_wall = 1000,
		               .seen_wall = 500 + number };
}

static void apply(struct db *db, const struct lease *lease)
{
	assert_int_equal(db_begin(db), 0);
	assert_int_equal(lease_store_apply(db, lease), 0);
	assert_int_equal(db_commit(db), 0);
}

static void assert_same(const struct lease *a, const struct lease *b)
{
	assert_true(slice_equal(lease_key_slice(&a->key), lease_key_slice(&b->key)));
	assert_true(mac_equal(a->mac, b->mac));
	assert_int_equal(a->address, b->address);
	assert_int_equal(a->expires_wall, b->expires_wall);
	assert_int_equal(a->seen_wall, b->seen_wall);
	assert_int_equal(a->has_arch, b->has_arch);
	assert_int_equal(a->arch, b->arch);
	assert_string_equal(a->hostname, b->hostname);
	assert_int_equal(a->session, b->session);
	assert_int_equal(a->session_xid, b->session_xid);
}

static void a_lease_is_found_by_each_of_its_names(void **state)
{
	CLEANUP(db_closep) struct db *db = NULL;
	struct lease in = make(1, 0xfffffff0), out;

	in.has_arch = true;
	in.arch = 11;
	in.session = INT64_MAX;
	in.session_xid = 0xffffffff;
	in.expires_wall = LEASE_FOR_EVER;
	(void)strcpy(in.hostname, "vm-1");
	assert_int_equal(db_open(":memory:", &db), 0);
	assert_int_equal(lease_store_find(db, &in.key, &out), LEASE_ABSENT);
	assert_int_equal(lease_store_find_by_mac(db, in.mac, &out), LEASE_ABSENT);
	assert_int_equal(lease_store_find_by_address(db, in.address, &out), LEASE_ABSENT);
	apply(db, &in);
	assert_int_equal(lease_store_find(db, &in.key, &out), 0);
	assert_same(&out, &in);
	assert_int_equal(lease_store_find_by_mac(db, in.mac, &out), 0);
	assert_same(&out, &in);
	assert_int_equal(lease_store_find_by_address(db, in.address, &out), 0);
	assert_same(&out, &in);
	in.has_arch = false;
	in.arch = 0;
	in.hostname[0] = '\0';
	apply(db, &in);
	assert_int_equal(lease_store_find(db, &in.key, &out), 0);
	assert_same(&out, &in);
}

static void an_address_has_one_owner(void **state)
{
	CLEANUP(db_closep) struct db *db = NULL;
	struct lease first = make(1, 10), second = make(2, 10), out;

	assert_int_equal(db_open(":memory:", &db), 0);
	apply(db, &first);
	apply(db, &second);
	assert_int_equal(lease_store_find(db, &first.key, &out), LEASE_ABSENT);
	assert_int_equal(lease_store_find_by_address(db, 10, &out), 0);
	assert_true(mac_equal(out.mac, second.mac));
	second.address = 11;
	apply(db, &second);
	assert_int_equal(lease_store_find_by_address(db, 10, &out), LEASE_ABSENT);
	assert_int_equal(lease_store_find(db, &second.key, &out), 0);
	assert_int_equal(out.address, 11);
}

static void of_two_keys_of_a_card_the_last_one_speaks(void **state)
{
	CLEANUP(db_closep) struct db *db = NULL;
	struct lease firmware = make(1, 10), os = make(1, 11), out;

	os.key = (struct lease_key){ .len = 3, .octet = { 255, 1, 2 } };
	os.seen_wall = firmware.seen_wall + 1;
	assert_int_equal(db_open(":memory:", &db), 0);
	apply(db, &os);
	apply(db, &firmware);
	assert_int_equal(lease_store_find_by_mac(db, os.mac, &out), 0);
	assert_int_equal(out.address, 11);
	assert_int_equal(lease_store_list(db, -1, &out, 1), 1);
	assert_int_equal(out.address, 10);
	assert_int_equal(lease_store_list(db, 10, &out, 1), 1);
	assert_int_equal(out.address, 11);
	assert_int_equal(lease_store_list(db, 11, &out, 1), 0);
}

static void only_its_owner_ends_a_lease(void **state)
{
	CLEANUP(db_closep) struct db *db = NULL;
	struct lease mine = make(1, 10), other = make(2, 11), out;

	assert_int_equal(db_open(":memory:", &db), 0);
	apply(db, &mine);
	assert_int_equal(lease_store_release(db, &other.key, 10, 600), LEASE_ABSENT);
	assert_int_equal(lease_store_release(db, &mine.key, 11, 600), LEASE_ABSENT);
	assert_int_equal(lease_store_release(db, &mine.key, 10, 600), 0);
	assert_int_equal(lease_store_find(db, &mine.key, &out), 0);
	assert_int_equal(out.expires_wall, 600);
	assert_int_equal(lease_store_remove(db, &other.key, 10), LEASE_ABSENT);
	assert_int_equal(lease_store_remove(db, &mine.key, 10), 0);
	assert_int_equal(lease_store_find(db, &mine.key, &out), LEASE_ABSENT);
}

static void a_clock_that_was_set_moves_the_ends(void **state)
{
	CLEANUP(db_closep) struct db *db = NULL;
	struct lease mine = make(1, 10), ever = make(2, 11), out;

	ever.expires_wall = LEASE_FOR_EVER;
	assert_int_equal(db_open(":memory:", &db), 0);
	apply(db, &mine);
	apply(db, &ever);
	assert_int_equal(lease_store_shift(db, 5000), 0);
	assert_int_equal(lease_store_find(db, &mine.key, &out), 0);
	assert_int_equal(out.expires_wall, 6000);
	assert_int_equal(lease_store_shift(db, -70000), 0);
	assert_int_equal(lease_store_find(db, &mine.key, &out), 0);
	assert_int_equal(out.expires_wall, 0);
	assert_int_equal(lease_store_find(db, &ever.key, &out), 0);
	assert_true(out.expires_wall == LEASE_FOR_EVER);
}

/* A crash: what was committed is there after it, what was not is gone, and no address is twice. */
static void leases_survive_a_crash(void **state)
{
	char path[] = "/tmp/cci-lease-XXXXXX", wal[sizeof(path) + 4], shm[sizeof(path) + 4];
	struct lease first = make(1, 10), second = make(2, 10), out;
	struct db *before = NULL, *after = NULL;

	assert_int_equal(close(mkstemp(path)), 0);
	assert_int_equal(db_open(path, &before), 0);
	apply(before, &first);
	assert_int_equal(db_begin(before), 0);
	assert_int_equal(lease_store_apply(before, &second), 0);
	db_close(before); /* in the middle of a transaction */
	assert_int_equal(db_open(path, &after), 0);
	assert_int_equal(lease_store_find_by_address(after, 10, &out), 0);
	assert_same(&out, &first);
	assert_int_equal(lease_store_find(after, &second.key, &out), LEASE_ABSENT);
	db_close(after);
	assert_int_equal(unlink(path), 0);
	(void)snprintf(wal, sizeof(wal), "%s-wal", path);
	(void)snprintf(shm, sizeof(shm), "%s-shm", path);
	(void)unlink(wal); /* gone already when the last close went well */
	(void)unlink(shm);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_lease_is_found_by_each_of_its_names),
		cmocka_unit_test(an_address_has_one_owner),
		cmocka_unit_test(of_two_keys_of_a_card_the_last_one_speaks),
		cmocka_unit_test(only_its_owner_ends_a_lease),
		cmocka_unit_test(a_clock_that_was_set_moves_the_ends),
		cmocka_unit_test(leases_survive_a_crash),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

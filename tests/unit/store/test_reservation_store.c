/* SPDX-License-Identifier: MulanPSL-2.0 */
#include "tests/support/test.h"

#include <stdlib.h>

#include "lib/base/macro.h"
#include "server/store/db.h"
#include "server/store/host_store.h"
#include "server/store/reservation_store.h"

static struct db *db;

static int open_db(void **state)
{
	return db_open(":memory:", &db);
}

static int close_db(void **state)
{
	db_close(db);
	return 0;
}

static void add_host(const char *name, const char *document)
{
	struct host host = { .n_queues = 0 };

	(void)snprintf(host.name, sizeof(host.name), "%s", name);
	assert_int_equal(db_begin(db), 0);
	assert_int_equal(host_store_insert(db, &host), 0);
	assert_int_equal(host_store_set_document(db, name, document), 0);
	assert_int_equal(db_commit(db), 0);
}

static void the_first_mac_of_a_host_has_its_address(void **state)
{
	struct reservation_clash clash;
	struct dhcp_reservation *list = NULL;
	size_t n = 7;

	assert_int_equal(reservation_store_list(db, &list, &n, &clash), 0);
	assert_int_equal(n, 0);
	assert_null(list);
	add_host(
		"a",
		"{\"address\":\"10.0.0.9\",\"mac_addr\":[\"02:00:00:00:00:01\",\"02:00:00:00:00:02\"]}");
	add_host("b", "{\"address\":\"10.0.0.8\",\"mac_addr\":\"02-00-00-00-00-03\"}");
	add_host("c", "{\"mac_addr\":[\"02:00:00:00:00:04\"]}");
	add_host("d", "{\"address\":\"10.0.0.7\"}");
	assert_int_equal(reservation_store_list(db, &list, &n, &clash), 0);
	assert_int_equal(n, 2);
	assert_int_equal(list[0].address, UINT32_C(0x0a000008));
	assert_int_equal(list[0].mac.octet[5], 3);
	assert_int_equal(list[1].address, UINT32_C(0x0a000009));
	assert_int_equal(list[1].mac.octet[5], 1);
	free(list);
}

static void two_hosts_with_one_address_are_named(void **state)
{
	struct reservation_clash clash;
	struct dhcp_reservation *list = NULL;
	size_t n;

	add_host("e", "{\"address\":\"10.0.0.9\",\"mac_addr\":[\"02:00:00:00:00:05\"]}");
	assert_int_equal(reservation_store_list(db, &list, &n, &clash), RESERVATION_STORE_CLASH);
	assert_null(list);
	assert_string_equal(clash.first, "a");
	assert_string_equal(clash.second, "e");
	assert_int_equal(clash.address, UINT32_C(0x0a000009));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_first_mac_of_a_host_has_its_address),
		cmocka_unit_test(two_hosts_with_one_address_are_named),
	};

	return cmocka_run_group_tests(tests, open_db, close_db);
}

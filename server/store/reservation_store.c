/* SPDX-License-Identifier: MulanPSL-2.0 */
/*
 * Rows come ordered by address text, so that two equal ones stand side by side.
 */
#include "server/store/reservation_store.h"

#include <errno.h>
#include <stdlib.h>

#include "lib/base/macro.h"
#include "lib/base/text.h"

#define RESERVATIONS_MAX 100000 /* as many leases as the largest site we know of keeps */

/* mac_addr is a list, or one text. */
static const char sql_list[] =
	"SELECT name, document ->> '$.address',"
	" CASE json_type(document, '$.mac_addr') WHEN 'array' THEN document ->> '$.mac_addr[0]'"
	" ELSE document ->> '$.mac_addr' END"
	" FROM hosts WHERE document ->> '$.address' IS NOT NULL ORDER BY 2, 1 LIMIT 100001";

/* The row as a reservation; false when it has no MAC, or something that was checked elsewhere. */
static bool read_row(struct sqlite3_stmt *stmt, struct dhcp_reservation *ret)
{
	return ipv4_parse(db_column_slice(stmt, 1), &ret->address) == 0 &&
	       mac_parse(db_column_slice(stmt, 2), &ret->mac) == 0;
}

static int add(struct dhcp_reservation **list, size_t *n, const struct dhcp_reservation *one)
{
	/* room doubles at each power of two */
	if ((*n & (*n - 1)) == 0) {
		struct dhcp_reservation *more = realloc(*list, (*n ? *n * 2 : 1) * sizeof(*more));

		if (!more)
			return -ENOMEM;
		*list = more;
	}
	(*list)[(*n)++] = *one;
	return 0;
}

static int clash(struct sqlite3_stmt *stmt, const char *before, uint32_t address,
                 struct reservation_clash *ret)
{
	ret->address = address;
	(void)text_copy(ret->first, sizeof(ret->first), slice_from_text(before));
	(void)text_copy(ret->second, sizeof(ret->second), db_column_slice(stmt, 0));
	db_reset(stmt);
	return RESERVATION_STORE_CLASH;
}

int reservation_store_list(struct db *db, struct dhcp_reservation **ret, size_t *ret_n,
                           struct reservation_clash *ret_clash)
{
	CLEANUP(freep) struct dhcp_reservation *list = NULL;
	char before[64] = "";
	struct sqlite3_stmt *stmt;
	size_t n = 0;
	int r = db_prepare(db, sql_list, &stmt);

	if (r < 0)
		return r;
	while ((r = db_step(db, stmt)) == DB_ROW) {
		struct dhcp_reservation one;
		int q;

		if (!read_row(stmt, &one))
			continue;
		if (n > 0 && list[n - 1].address == one.address)
			return clash(stmt, before, one.address, ret_clash);
		(void)text_copy(before, sizeof(before), db_column_slice(stmt, 0));
		q = n < RESERVATIONS_MAX ? add(&list, &n, &one) : -E2BIG;
		if (q < 0) {
			db_reset(stmt);
			return q;
		}
	}
	if (r < 0)
		return r;
	*ret = steal_ptr(&list);
	*ret_n = n;
	return 0;
}

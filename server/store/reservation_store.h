/* SPDX-License-Identifier: MulanPSL-2.0 */
/*
 * Addresses that hosts of the store have for themselves, as DHCP wants to be told them.
 */
#pragma once

#include <stddef.h>

#include "server/core/dhcp_config.h"
#include "server/store/db.h"

/* Two hosts with one address: the names of both. */
struct reservation_clash {
	char first[64], second[64];
	uint32_t address;
};

/*
 * Reads the key `address` of every host that has one and at least one MAC (the first counts).
 * Returns 0 with *ret (malloc'ed, NULL when there are none; the caller frees it) and *ret_n;
 * RESERVATION_STORE_CLASH with *ret_clash; or -errno. Cost: O(hosts · log hosts).
 */
enum { RESERVATION_STORE_CLASH = 1 };
int reservation_store_list(struct db *db, struct dhcp_reservation **ret, size_t *ret_n,
                           struct reservation_clash *ret_clash);

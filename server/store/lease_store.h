/* SPDX-License-Identifier: MulanPSL-2.0 */
/*
 * The table of leases. A row stays when its lease has ended: it remembers the address that client
 * had, until somebody else needs it.
 */
#pragma once

#include <stdint.h>

#include "server/core/lease.h"
#include "server/store/db.h"

/* Looks a lease up. Returns 0 with *ret, LEASE_ABSENT, or -errno. A card that has several leases
 * (key: client-id) is found by the one seen last. */
enum { LEASE_ABSENT = 1 };
int lease_store_find(struct db *db, const struct lease_key *key, struct lease *ret);
int lease_store_find_by_mac(struct db *db, struct mac mac, struct lease *ret);
int lease_store_find_by_address(struct db *db, uint32_t address, struct lease *ret);

/*
 * Writes a lease, new or changed, inside the caller's transaction; whoever had that address before
 * forgets it. Returns 0 or -errno.
 */
int lease_store_apply(struct db *db, const struct lease *lease);

/*
 * Ends the lease of `key` at `address` (RELEASE). The row stays.
 * Returns 0, LEASE_ABSENT when that client does not have that address, or -errno.
 */
int lease_store_release(struct db *db, const struct lease_key *key, uint32_t address,
                        usec_t now_wall);

/*
 * Forgets the lease of `key` at `address` (DECLINE: somebody else uses it).
 * Returns 0, LEASE_ABSENT, or -errno.
 */
int lease_store_remove(struct db *db, const struct lease_key *key, uint32_t address);

/*
 * Leases with an address above `after`, by address: at most max into leases[].
 * Returns the number, or -errno.
 */
int lease_store_list(struct db *db, int64_t after, struct lease leases[], int max);

/* The wall clock was set by `delta` microseconds: moves all ends along. Returns 0 or -errno. */
int lease_store_shift(struct db *db, int64_t delta);

/* SPDX-License-Identifier: MulanPSL-2.0 */
/*
 * Which addresses of the configured ranges are free. An index in memory over the store's leases,
 * plus what only memory knows: offers not yet taken up, and addresses parked because somebody else
 * was found on them. Times are monotonic.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/base/macro.h"
#include "lib/base/usec.h"
#include "server/core/dhcp_config.h"
#include "server/core/lease.h"

/* Long enough for a slow firmware that looks for other servers first (OVMF: 4 s), short enough that
 * a storm of clients which never come back does not empty a range. */
#define DHCP_OFFER_HOLD (60 * USEC_PER_SEC)

/* Somebody is on that address without our leave; dnsmasq parks as long. */
#define DHCP_PARK_TIME (600 * USEC_PER_SEC)

/* More machines than any lab has, in 48 MiB. */
#define DHCP_RANGE_MAX ((size_t)1 << 20)

struct dhcp_pool;

/*
 * Makes a pool over the ranges of the configuration, everything free; reserved addresses inside a
 * range are set aside. `seed` keys its hash. Copies what it needs of the configuration.
 * Of a range longer than DHCP_RANGE_MAX only the first so many are given.
 * Returns 0 or -ENOMEM. Cost: O(addresses), 48 bytes each.
 */
int dhcp_pool_new(const struct dhcp_config *config, const uint64_t seed[2], struct dhcp_pool **ret);

/* NULL is fine; returns NULL. */
struct dhcp_pool *dhcp_pool_free(struct dhcp_pool *pool);

DEFINE_FREEP(struct dhcp_pool, dhcp_pool_free);

/* Who holds an address, as one client sees it. */
enum dhcp_hold {
	DHCP_HOLD_FREE,
	DHCP_HOLD_MINE,     /* offered or leased to this client */
	DHCP_HOLD_OTHER,    /* offered or leased to another */
	DHCP_HOLD_PARKED,   /* declined a while ago */
	DHCP_HOLD_RESERVED, /* for another card, whoever has it now */
	DHCP_HOLD_OUTSIDE,  /* in no range: the pool knows nothing of it */
	_DHCP_HOLD_MAX,
};

const char *dhcp_hold_to_name(int value);
int dhcp_hold_from_name(struct slice name);

/* `reserved` is the client's own reservation, 0 for none. */
enum dhcp_hold dhcp_pool_look(const struct dhcp_pool *pool, uint32_t address,
                              const struct lease_key *key, uint32_t reserved, usec_t now);

/* The address that is being offered to this client, or 0. */
uint32_t dhcp_pool_offered(const struct dhcp_pool *pool, const struct lease_key *key, usec_t now);

/*
 * A free address of the subnet: the place to start looking comes from the key, so that a client
 * which was forgotten gets the same one again; addresses that nobody has had since the start go
 * first.
 * Returns the address, or 0 when the range is used up. Cost: O(addresses) when it nearly is.
 */
uint32_t dhcp_pool_choose(struct dhcp_pool *pool, const struct dhcp_subnet *subnet,
                          const struct lease_key *key, usec_t now);

/*
 * Holds an address for a client until `until`; an older offer to it is dropped. An address outside
 * the ranges needs no hold.
 * Returns whether the same client was offered this address for the same xid before: it asks again.
 */
bool dhcp_pool_offer(struct dhcp_pool *pool, uint32_t address, const struct lease_key *key,
                     uint32_t xid, usec_t until);

/* The client has it (ACK); its offers are dropped. Outside the ranges: nothing. */
void dhcp_pool_take(struct dhcp_pool *pool, uint32_t address, const struct lease_key *key,
                    usec_t until);

/* The client went to another server: its offer is free again. */
void dhcp_pool_withdraw(struct dhcp_pool *pool, const struct lease_key *key);

/* Free again (RELEASE). */
void dhcp_pool_release(struct dhcp_pool *pool, uint32_t address);

/* Nobody gets it until then (DECLINE). */
void dhcp_pool_park(struct dhcp_pool *pool, uint32_t address, usec_t until);

/* Never given: our own address, a router's. */
void dhcp_pool_exclude(struct dhcp_pool *pool, uint32_t address);

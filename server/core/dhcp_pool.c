/* SPDX-License-Identifier: MulanPSL-2.0 */
/*
 * One slot an address, in an array for each range. A holder is known by the keyed hash of its key:
 * 64 bits, so that two clients of one lab never share one by accident. Offers are found by holder
 * through a map of slots.
 */
#include "server/core/dhcp_pool.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>

#include "lib/base/hash.h"
#include "lib/base/table.h"

enum slot_state {
	SLOT_FREE,
	SLOT_OFFERED,
	SLOT_LEASED,
	SLOT_PARKED,
};

struct slot {
	struct map_node node; /* in pool->offers while SLOT_OFFERED */
	uint64_t holder;      /* 0 before the first one */
	usec_t until;         /* the state holds so long; afterwards it is as good as free */
	uint32_t address;
	uint32_t xid; /* of the last offer */
	uint8_t state;
	bool is_reserved; /* for one MAC */
	bool is_excluded; /* for nobody */
};

struct range {
	uint32_t first;
	size_t n_slots;
	struct slot *slots;
	usec_t full_until; /* nothing becomes free before; 0: not known to be full */
};

struct dhcp_pool {
	uint64_t seed[2];
	struct map offers;
	size_t n_ranges;
	struct range ranges[DHCP_SUBNETS_MAX];
};

static const char *const hold_names[_DHCP_HOLD_MAX] = {
	[DHCP_HOLD_FREE] = "free",         [DHCP_HOLD_MINE] = "mine",
	[DHCP_HOLD_OTHER] = "other",       [DHCP_HOLD_PARKED] = "parked",
	[DHCP_HOLD_RESERVED] = "reserved", [DHCP_HOLD_OUTSIDE] = "outside",
};

DEFINE_NAME_TABLE(dhcp_hold, hold_names);

static struct slice offer_key(const struct map_node *node)
{
	const struct slot *slot = CONTAINER_OF(node, struct slot, node);

	return slice_make(&slot->holder, sizeof(slot->holder));
}

static uint64_t holder_of(const struct dhcp_pool *pool, const struct lease_key *key)
{
	uint64_t hash = hash_siphash(pool->seed, lease_key_slice(key));

	return hash ? hash : 1;
}

static struct range *find_range(const struct dhcp_pool *pool, uint32_t address)
{
	for (size_t i = 0; i < pool->n_ranges; i++) {
		const struct range *range = &pool->ranges[i];

		if (address >= range->first && address - range->first < range->n_slots)
			return (struct range *)range;
	}
	return NULL;
}

static struct slot *find_slot(const struct dhcp_pool *pool, uint32_t address)
{
	struct range *range = find_range(pool, address);

	return range ? &range->slots[address - range->first] : NULL;
}

static struct slot *find_offer(const struct dhcp_pool *pool, uint64_t holder)
{
	struct map_node *node = map_find(&pool->offers, slice_make(&holder, sizeof(holder)));

	return node ? CONTAINER_OF(node, struct slot, node) : NULL;
}

/* The only place where a slot changes its state: it keeps the map of offers right. */
static void set_state(struct dhcp_pool *pool, struct slot *slot, enum slot_state state,
                      uint64_t holder, usec_t until)
{
	struct range *range = find_range(pool, slot->address);

	assert(range);
	if (slot->state == SLOT_OFFERED)
		map_remove(&pool->offers, &slot->node);
	slot->state = (uint8_t)state;
	slot->holder = holder;
	slot->until = until;
	/* Without memory for the map the offer is not held: the address may be offered twice, and
	 * one of the two is refused when it asks for it. */
	if (state == SLOT_OFFERED && map_insert(&pool->offers, &slot->node) < 0)
		slot->state = SLOT_FREE;
	range->full_until = 0;
}

static bool is_idle(const struct slot *slot, usec_t now)
{
	return slot->state == SLOT_FREE || slot->until <= now;
}

static int make_range(const struct dhcp_subnet *subnet, struct range *range)
{
	range->first = subnet->first;
	range->n_slots = MIN((size_t)(subnet->last - subnet->first) + 1, DHCP_RANGE_MAX);
	range->slots = calloc(range->n_slots, sizeof(*range->slots));
	if (!range->slots)
		return -ENOMEM;
	for (size_t i = 0; i < range->n_slots; i++)
		range->slots[i].address = range->first + (uint32_t)i;
	return 0;
}

/* What no client may have: ends of the subnet, its router. */
static void exclude_of_subnet(struct dhcp_pool *pool, const struct dhcp_subnet *subnet)
{
	uint32_t mask = ipv4_net_mask(subnet->net.prefix);

	if (subnet->net.prefix <= 30) {
		dhcp_pool_exclude(pool, subnet->net.address & mask);
		dhcp_pool_exclude(pool, subnet->net.address | ~mask);
	}
	dhcp_pool_exclude(pool, subnet->router);
}

int dhcp_pool_new(const struct dhcp_config *config, const uint64_t seed[2], struct dhcp_pool **ret)
{
	CLEANUP(dhcp_pool_freep) struct dhcp_pool *pool = calloc(1, sizeof(*pool));
	int r;

	if (!pool)
		return -ENOMEM;
	memcpy(pool->seed, seed, sizeof(pool->seed));
	map_init(&pool->offers, seed, offer_key);
	for (size_t i = 0; i < config->n_subnets; i++) {
		const struct dhcp_subnet *subnet = &config->subnets[i];

		if (subnet->first == 0)
			continue;
		assert(subnet->last >= subnet->first);
		r = make_range(subnet, &pool->ranges[pool->n_ranges++]);
		if (r < 0)
			return r;
		exclude_of_subnet(pool, subnet);
	}
	for (size_t i = 0; i < config->n_reservations; i++) {
		struct slot *slot = find_slot(pool, config->reservations[i].address);

		if (slot)
			slot->is_reserved = true;
	}
	*ret = steal_ptr(&pool);
	return 0;
}

struct dhcp_pool *dhcp_pool_free(struct dhcp_pool *pool)
{
	if (!pool)
		return NULL;
	map_deinit(&pool->offers);
	for (size_t i = 0; i < pool->n_ranges; i++)
		free(pool->ranges[i].slots);
	free(pool);
	return NULL;
}

enum dhcp_hold dhcp_pool_look(const struct dhcp_pool *pool, uint32_t address,
                              const struct lease_key *key, uint32_t reserved, usec_t now)
{
	const struct slot *slot = find_slot(pool, address);

	if (!slot)
		return DHCP_HOLD_OUTSIDE;
	if (slot->is_excluded)
		return DHCP_HOLD_OTHER;
	if (slot->is_reserved && address != reserved)
		return DHCP_HOLD_RESERVED;
	if (is_idle(slot, now))
		return DHCP_HOLD_FREE;
	if (slot->state == SLOT_PARKED)
		return DHCP_HOLD_PARKED;
	return slot->holder == holder_of(pool, key) ? DHCP_HOLD_MINE : DHCP_HOLD_OTHER;
}

uint32_t dhcp_pool_offered(const struct dhcp_pool *pool, const struct lease_key *key, usec_t now)
{
	const struct slot *slot = find_offer(pool, holder_of(pool, key));

	return slot && !is_idle(slot, now) ? slot->address : 0;
}

static bool is_choosable(const struct slot *slot, usec_t now)
{
	return !slot->is_reserved && !slot->is_excluded && is_idle(slot, now);
}

uint32_t dhcp_pool_choose(struct dhcp_pool *pool, const struct dhcp_subnet *subnet,
                          const struct lease_key *key, usec_t now)
{
	struct range *range = subnet->first ? find_range(pool, subnet->first) : NULL;
	const struct slot *used = NULL;
	usec_t first_free = USEC_INFINITY;
	size_t start;

	if (!range || range->full_until > now)
		return 0;
	start = holder_of(pool, key) % range->n_slots;
	for (size_t i = 0; i < range->n_slots; i++) {
		const struct slot *slot = &range->slots[(start + i) % range->n_slots];

		if (slot->is_reserved || slot->is_excluded)
			continue;
		if (!is_choosable(slot, now))
			first_free = usec_min(first_free, slot->until);
		else if (slot->holder == 0)
			return slot->address;
		else if (!used || slot->until < used->until)
			used = slot; /* free for the longest time */
	}
	if (used)
		return used->address;
	range->full_until = first_free;
	return 0;
}

bool dhcp_pool_offer(struct dhcp_pool *pool, uint32_t address, const struct lease_key *key,
                     uint32_t xid, usec_t until)
{
	struct slot *slot = find_slot(pool, address), *older;
	uint64_t holder = holder_of(pool, key);
	bool is_repeated;

	older = find_offer(pool, holder);
	if (older && older != slot)
		set_state(pool, older, SLOT_FREE, older->holder, 0);
	if (!slot)
		return false;
	is_repeated = slot->holder == holder && slot->xid == xid;
	slot->xid = xid;
	if (slot->state != SLOT_LEASED || slot->holder != holder || slot->until < until)
		set_state(pool, slot, SLOT_OFFERED, holder, until);
	return is_repeated;
}

void dhcp_pool_take(struct dhcp_pool *pool, uint32_t address, const struct lease_key *key,
                    usec_t until)
{
	struct slot *slot = find_slot(pool, address), *offer;
	uint64_t holder = holder_of(pool, key);

	offer = find_offer(pool, holder);
	if (offer && offer != slot)
		set_state(pool, offer, SLOT_FREE, offer->holder, 0);
	if (slot)
		set_state(pool, slot, SLOT_LEASED, holder, until);
}

void dhcp_pool_withdraw(struct dhcp_pool *pool, const struct lease_key *key)
{
	struct slot *offer = find_offer(pool, holder_of(pool, key));

	if (offer)
		set_state(pool, offer, SLOT_FREE, offer->holder, 0);
}

void dhcp_pool_release(struct dhcp_pool *pool, uint32_t address)
{
	struct slot *slot = find_slot(pool, address);

	if (slot)
		set_state(pool, slot, SLOT_FREE, slot->holder, 0);
}

void dhcp_pool_park(struct dhcp_pool *pool, uint32_t address, usec_t until)
{
	struct slot *slot = find_slot(pool, address);

	if (slot)
		set_state(pool, slot, SLOT_PARKED, slot->holder ? slot->holder : 1, until);
}

void dhcp_pool_exclude(struct dhcp_pool *pool, uint32_t address)
{
	struct slot *slot = find_slot(pool, address);

	if (slot)
		slot->is_excluded = true;
}

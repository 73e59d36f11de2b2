/* SPDX-License-Identifier: MulanPSL-2.0 */
/*
 * Keyed hash of bytes (SipHash-2-4, Aumasson and Bernstein 2012) and an intrusive hash map over it.
 * Keys chosen by peers cannot be made to collide without the seed.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/base/bytes.h"

/* 64-bit keyed hash of s. Pure. */
uint64_t hash_siphash(const uint64_t seed[2], struct slice s);

struct map_node {
	struct map_node *next;
	uint64_t hash;
};

/*
 * A map owns its bucket array, never its members. key_of gives a view of a member's key, which must
 * not change while the member is in the map.
 */
struct map {
	struct map_node **buckets;
	size_t n_buckets, n_members;
	uint64_t seed[2];
	struct slice (*key_of)(const struct map_node *);
};

/* Makes an empty map; no allocation. */
void map_init(struct map *m, const uint64_t seed[2],
              struct slice (*key_of)(const struct map_node *));

/* Frees the buckets; members are the caller's. */
void map_deinit(struct map *m);

/* The member with that key, or NULL. Expected O(1). */
struct map_node *map_find(const struct map *m, struct slice key);

/*
 * Adds a member whose key is not there yet (the caller has looked).
 * Returns 0 or -ENOMEM.
 */
int map_insert(struct map *m, struct map_node *node);

/* Takes a member out; it must be in the map. */
void map_remove(struct map *m, struct map_node *node);

/* First member in no particular order, and the one after `node`; NULL at the end. */
struct map_node *map_first(const struct map *m);
struct map_node *map_next(const struct map *m, const struct map_node *node);

/* Visits all members; the body must not insert or remove. */
#define MAP_FOREACH(it, m)                                                                         \
	for (struct map_node *it = map_first(m); it != NULL; it = map_next(m, it))

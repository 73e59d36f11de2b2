/* SPDX-License-Identifier: MulanPSL-2.0 */
/*
 * SipHash-2-4 and the map over it; chains with a load of at most one.
 */
#include "lib/base/hash.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>

static inline uint64_t rotate(uint64_t x, unsigned n)
{
	return x << n | x >> (64 - n);
}

static void sip_round(uint64_t v[4])
{
	v[0] += v[1];
	v[2] += v[3];
	v[1] = rotate(v[1], 13) ^ v[0];
	v[3] = rotate(v[3], 16) ^ v[2];
	v[0] = rotate(v[0], 32);
	v[2] += v[1];
	v[0] += v[3];
	v[1] = rotate(v[1], 17) ^ v[2];
	v[3] = rotate(v[3], 21) ^ v[0];
	v[2] = rotate(v[2], 32);
}

/* Up to 8 bytes as a little-endian word. */
static uint64_t load_le(const uint8_t *p, size_t n)
{
	uint64_t word = 0;

	for (size_t i = 0; i < n; i++)
		word |= (uint64_t)p[i] << (8 * i);
	return word;
}

static void absorb(uint64_t v[4], uint64_t word)
{
	v[3] ^= word;
	sip_round(v);
	sip_round(v);
	v[0] ^= word;
}

uint64_t hash_siphash(const uint64_t seed[2], struct slice s)
{
	uint64_t v[4] = {
		seed[0] ^ UINT64_C(0x736f6d6570736575),
		seed[1] ^ UINT64_C(0x646f72616e646f6d),
		seed[0] ^ UINT64_C(0x6c7967656e657261),
		seed[1] ^ UINT64_C(0x7465646279746573),
	};
	size_t i = 0;

	for (; s.len - i >= 8; i += 8)
		absorb(v, load_le(s.data + i, 8));
	absorb(v, (uint64_t)s.len << 56 | (s.len > i ? load_le(s.data + i, s.len - i) : 0));
	v[2] ^= 0xff;
	for (int n = 0; n < 4; n++)
		sip_round(v);
	return v[0] ^ v[1] ^ v[2] ^ v[3];
}

void map_init(struct map *m, const uint64_t seed[2],
              struct slice (*key_of)(const struct map_node *))
{
	*m = (struct map){ .seed = { seed[0], seed[1] }, .key_of = key_of };
}

void map_deinit(struct map *m)
{
	free(m->buckets);
	m->buckets = NULL;
	m->n_buckets = m->n_members = 0;
}

struct map_node *map_find(const struct map *m, struct slice key)
{
	uint64_t hash;

	if (m->n_buckets == 0)
		return NULL;
	hash = hash_siphash(m->seed, key);
	for (struct map_node *n = m->buckets[hash & (m->n_buckets - 1)]; n; n = n->next)
		if (n->hash == hash && slice_equal(m->key_of(n), key))
			return n;
	return NULL;
}

static int grow(struct map *m)
{
	size_t n_buckets = m->n_buckets ? m->n_buckets * 2 : 16;
	struct map_node **buckets = calloc(n_buckets, sizeof(struct map_node *));

	if (!buckets)
		return -ENOMEM;
	for (size_t i = 0; i < m->n_buckets; i++) {
		struct map_node *next;

		for (struct map_node *n = m->buckets[i]; n; n = next) {
			struct map_node **bucket = &buckets[n->hash & (n_buckets - 1)];

			next = n->next;
			n->next = *bucket;
			*bucket = n;
		}
	}
	free(m->buckets);
	m->buckets = buckets;
	m->n_buckets = n_buckets;
	return 0;
}

int map_insert(struct map *m, struct map_node *node)
{
	struct map_node **bucket;
	int r;

	if (m->n_members >= m->n_buckets) {
		r = grow(m);
		if (r < 0)
			return r;
	}
	node->hash = hash_siphash(m->seed, m->key_of(node));
	bucket = &m->buckets[node->hash & (m->n_buckets - 1)];
	node->next = *bucket;
	*bucket = node;
	m->n_members++;
	return 0;
}

void map_remove(struct map *m, struct map_node *node)
{
	struct map_node **link = &m->buckets[node->hash & (m->n_buckets - 1)];

	while (*link != node) {
		assert(*link);
		link = &(*link)->next;
	}
	*link = node->next;
	node->next = NULL;
	m->n_members--;
}

static struct map_node *first_from(const struct map *m, size_t bucket)
{
	for (; bucket < m->n_buckets; bucket++)
		if (m->buckets[bucket])
			return m->buckets[bucket];
	return NULL;
}

struct map_node *map_first(const struct map *m)
{
	return first_from(m, 0);
}

struct map_node *map_next(const struct map *m, const struct map_node *node)
{
	if (node->next)
		return node->next;
	return first_from(m, (node->hash & (m->n_buckets - 1)) + 1);
}

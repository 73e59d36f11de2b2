/* SPDX-License-Identifier: MulanPSL-2.0 */
#include "server/service/held.h"

#include <stdlib.h>

#include "lib/base/macro.h"

struct held {
	struct map_node node;
	struct mac mac;
	uint64_t n_queue; /* services.n_queue when it was looked at */
};

static struct held *to_held(const struct map_node *node)
{
	return node ? CONTAINER_OF(node, struct held, node) : NULL;
}

static struct slice mac_slice(const struct mac *mac)
{
	return slice_make(mac->octet, sizeof(mac->octet));
}

static struct slice key_of(const struct map_node *node)
{
	return mac_slice(&to_held(node)->mac);
}

void held_init(struct services *s)
{
	const uint64_t seed[2] = { rng_next(&s->rng), rng_next(&s->rng) };

	map_init(&s->held, seed, key_of);
}

void held_forget_all(struct services *s)
{
	struct map_node *node;

	while ((node = map_first(&s->held)) != NULL) {
		map_remove(&s->held, node);
		free(to_held(node));
	}
}

void held_deinit(struct services *s)
{
	held_forget_all(s);
	map_deinit(&s->held);
}

void held_note(struct services *s, struct mac mac)
{
	struct held *held = to_held(map_find(&s->held, mac_slice(&mac)));

	if (!held && s->held.n_members < HELD_MAX) {
		held = calloc(1, sizeof(*held));
		if (!held)
			return;
		held->mac = mac;
		if (map_insert(&s->held, &held->node) < 0) {
			free(held);
			return;
		}
	}
	if (held)
		held->n_queue = s->n_queue;
}

bool held_is_current(const struct services *s, struct mac mac)
{
	const struct held *held = to_held(map_find(&s->held, mac_slice(&mac)));

	return held && held->n_queue == s->n_queue;
}

void held_forget(struct services *s, struct mac mac)
{
	struct held *held = to_held(map_find(&s->held, mac_slice(&mac)));

	if (!held)
		return;
	map_remove(&s->held, &held->node);
	free(held);
}

size_t held_count(const struct services *s)
{
	return s->held.n_members;
}

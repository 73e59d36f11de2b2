/* SPDX-License-Identifier: MulanPSL-2.0 */
#include "tests/support/test.h"

#include "lib/base/hash.h"
#include "lib/base/macro.h"

struct member {
	struct map_node node;
	char key[16];
};

static struct slice key_of(const struct map_node *node)
{
	return slice_from_text(CONTAINER_OF(node, struct member, node)->key);
}

/* First outputs of the reference vectors of SipHash-2-4: key 00..0f, message 00..n-1. */
static void siphash_gives_the_reference_values(void **state)
{
	const uint64_t seed[2] = { UINT64_C(0x0706050403020100), UINT64_C(0x0f0e0d0c0b0a0908) };
	const uint8_t message[15] = { 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14 };

	assert_true(hash_siphash(seed, slice_make(message, 0)) == UINT64_C(0x726fdb47dd0e0e31));
	assert_true(hash_siphash(seed, slice_make(message, 15)) == UINT64_C(0xa129ca6149be45e5));
}

static void map_finds_what_it_holds(void **state)
{
	static const uint64_t seed[2] = { 1, 2 };
	static struct member members[500];
	struct map map;
	size_t n = 0;

	map_init(&map, seed, key_of);
	assert_null(map_find(&map, SLICE_LITERAL("k0")));
	for (size_t i = 0; i < ARRAY_SIZE(members); i++) {
		(void)snprintf(members[i].key, sizeof(members[i].key), "k%zu", i);
		assert_int_equal(map_insert(&map, &members[i].node), 0);
	}
	for (size_t i = 0; i < ARRAY_SIZE(members); i += 2)
		map_remove(&map, &members[i].node);
	assert_null(map_find(&map, SLICE_LITERAL("k0")));
	assert_ptr_equal(map_find(&map, SLICE_LITERAL("k499")), &members[499].node);
	MAP_FOREACH (it, &map) {
		assert_ptr_equal(map_find(&map, key_of(it)), it);
		n++;
	}
	assert_int_equal(n, ARRAY_SIZE(members) / 2);
	assert_int_equal(map.n_members, n);
	map_deinit(&map);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(siphash_gives_the_reference_values),
		cmocka_unit_test(map_finds_what_it_holds),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

/* SPDX-License-Identifier: MulanPSL-2.0 */
#include "tests/support/test.h"

#include "lib/base/macro.h"
#include "server/proto/router_advert.h"

static void solicitations_are_checked(void **state)
{
#define HEAD   "\205\0\0\0\0\0\0\0"
#define SOURCE "\1\1\122\124\0\22\64\120"
	static const struct {
		struct slice message;
		unsigned hop_limit;
		bool unspecified;
		int r;
		uint8_t last;
	} rows[] = {
		{ SLICE_LITERAL(HEAD), 255, false, 0, 0 },
		{ SLICE_LITERAL(HEAD), 255, true, 0, 0 },
		{ SLICE_LITERAL(HEAD SOURCE), 255, false, 0, 0x50 },
		{ SLICE_LITERAL(HEAD "\7\1\0\0\0\0\0\0" SOURCE), 255, false, 0, 0x50 },
		{ SLICE_LITERAL(HEAD SOURCE), 255, true, ROUTER_SOLICIT_BAD_SOURCE, 0 },
		{ SLICE_LITERAL(HEAD), 64, false, ROUTER_SOLICIT_FORWARDED, 0 },
		{ SLICE_LITERAL("\205\0\0\0\0\0\0"), 255, false, ROUTER_SOLICIT_SHORT, 0 },
		{ SLICE_LITERAL("\205\1\0\0\0\0\0\0"), 255, false, ROUTER_SOLICIT_BAD_CODE, 0 },
		{ SLICE_LITERAL("\206\0\0\0\0\0\0\0"), 255, false, ROUTER_SOLICIT_OTHER, 0 },
		{ SLICE_LITERAL(""), 255, false, ROUTER_SOLICIT_OTHER, 0 },
		{ SLICE_LITERAL(HEAD "\1"), 255, false, ROUTER_SOLICIT_BAD_OPTIONS, 0 },
		{ SLICE_LITERAL(HEAD "\1\0"), 255, false, ROUTER_SOLICIT_BAD_OPTIONS, 0 },
		{ SLICE_LITERAL(HEAD "\1\2\0\0\0\0\0\0"), 255, false, ROUTER_SOLICIT_BAD_OPTIONS,
		  0 },
	};

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct router_solicit solicit = { .mac = { { 0 } } };

		assert_int_equal(router_solicit_parse(rows[i].message, rows[i].hop_limit,
		                                      rows[i].unspecified, &solicit),
		                 rows[i].r);
		assert_int_equal(solicit.mac.octet[5], rows[i].last);
	}
}

static void the_answer_makes_nobody_a_router(void **state)
{
	static const uint8_t expected[] = { 134, 0, 0, 0, 0, 0, 0, 0, 0,    0, 0, 0,
		                            0,   0, 0, 0, 1, 1, 2, 0, 0xaa, 0, 0, 1 };
	uint8_t wire[ROUTER_ADVERT_MAX];
	struct bytes out = BYTES_ON(wire), bare = BYTES_ON(wire);

	router_advert_build((struct mac){ { 2, 0, 0xaa, 0, 0, 1 } }, &out);
	assert_int_equal(out.len, sizeof(expected));
	assert_memory_equal(wire, expected, sizeof(expected));
	router_advert_build((struct mac){ { 0 } }, &bare);
	assert_int_equal(bare.len, 16);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(solicitations_are_checked),
		cmocka_unit_test(the_answer_makes_nobody_a_router),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

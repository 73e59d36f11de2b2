/* SPDX-License-Identifier: MulanPSL-2.0 */
#include "tests/support/test.h"

#include "server/proto/ip_frame.h"

/* The checksum over a datagram whose checksums are right folds to zero. */
static bool checksums_hold(struct slice datagram)
{
	const uint8_t *p = datagram.data;
	uint8_t pseudo[12] = { 0 };
	uint32_t sum;

	if (ip_checksum_finish(ip_checksum_add(0, slice_make(p, 20))) != 0)
		return false;
	memcpy(pseudo, p + 12, 8);
	pseudo[9] = 17;
	put_be16(pseudo + 10, get_be16(p + 24));
	sum = ip_checksum_add(0, slice_make(pseudo, sizeof(pseudo)));
	return ip_checksum_finish(ip_checksum_add(sum, slice_sub(datagram, 20, SIZE_MAX))) == 0;
}

static const struct ip_frame frame = { .source = 0xc0a80001,
	                               .destination = 0xc0a800c7,
	                               .source_port = 67,
	                               .destination_port = 68,
	                               .id = 0x1234 };

static void the_checksum_of_rfc_1071_comes_out(void **state)
{
	/* the example of section 3: sum ddf2 */
	static const uint8_t bytes[] = { 0x00, 0x01, 0xf2, 0x03, 0xf4, 0xf5, 0xf6, 0xf7 };

	assert_int_equal(ip_checksum_finish(ip_checksum_add(0, slice_make(bytes, 8))), 0x220d);
}

static void headers_and_checksums_are_right(void **state)
{
	for (size_t len = 0; len < 5; len++) {
		uint8_t wire[64];
		struct bytes out = BYTES_ON(wire);

		ip_frame_build(&frame, slice_make("abcde", len), &out);
		assert_false(out.overflow);
		assert_int_equal(out.len, IP_FRAME_HEADERS + len);
		assert_int_equal(wire[0], 0x45);
		assert_int_equal(get_be16(wire + 2), out.len);
		assert_int_equal(get_be32(wire + 12), 0xc0a80001);
		assert_int_equal(get_be32(wire + 16), 0xc0a800c7);
		assert_int_equal(get_be16(wire + 20), 67);
		assert_int_equal(get_be16(wire + 22), 68);
		assert_int_equal(get_be16(wire + 24), 8 + len);
		assert_true(checksums_hold(bytes_slice(&out)));
	}
}

static void a_checksum_of_zero_is_sent_as_all_ones(void **state)
{
	uint8_t wire[64], payload[2];
	struct bytes first = BYTES_ON(wire), second = BYTES_ON(wire);

	ip_frame_build(&frame, SLICE_LITERAL("\0\0"), &first);
	memcpy(payload, wire + 26, 2); /* adding the checksum itself makes the sum zero */
	ip_frame_build(&frame, slice_make(payload, 2), &second);
	assert_int_equal(get_be16(wire + 26), 0xffff);
}

static void what_does_not_fit_is_an_overflow(void **state)
{
	uint8_t wire[IP_FRAME_HEADERS + 3];
	struct bytes out = BYTES_ON(wire), big = BYTES_ON(wire);

	ip_frame_build(&frame, SLICE_LITERAL("abcd"), &out);
	assert_true(out.overflow);
	ip_frame_build(&frame, slice_make(wire, 65508), &big); /* refused before it is read */
	assert_true(big.overflow);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_checksum_of_rfc_1071_comes_out),
		cmocka_unit_test(headers_and_checksums_are_right),
		cmocka_unit_test(a_checksum_of_zero_is_sent_as_all_ones),
		cmocka_unit_test(what_does_not_fit_is_an_overflow),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

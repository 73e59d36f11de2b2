/* SPDX-License-Identifier: MulanPSL-2.0 */
#include "tests/support/test.h"

#include "lib/base/macro.h"
#include "server/proto/tftp_packet.h"

static struct tftp_packet decoded(struct slice raw)
{
	struct tftp_packet packet;

	assert_int_equal(tftp_packet_decode(raw, &packet), 0);
	return packet;
}

/* As OVMF (Debian 12) sent it, captured. */
static void the_firmwares_first_request_is_understood(void **state)
{
	struct tftp_packet packet = decoded(SLICE_LITERAL(
		"\0\1snponly.efi\0octet\0tsize\0000\0blksize\0001468\0windowsize\0004\0"));

	assert_int_equal(packet.opcode, TFTP_RRQ);
	assert_slice_equal(packet.name, "snponly.efi");
	assert_int_equal(packet.mode, TFTP_MODE_OCTET);
	assert_true(packet.options.has_tsize && packet.options.tsize == 0);
	assert_true(packet.options.has_blksize && packet.options.blksize == 1468);
	assert_true(packet.options.has_windowsize && packet.options.windowsize == 4);
	assert_false(packet.options.has_timeout || packet.options.has_utimeout);
}

static void letter_case_counts_nowhere_but_in_the_name(void **state)
{
	struct tftp_packet packet =
		decoded(SLICE_LITERAL("\0\1Ab\0OcTeT\0BLKSIZE\0001432\0tSize\0000\0"));

	assert_slice_equal(packet.name, "Ab");
	assert_int_equal(packet.mode, TFTP_MODE_OCTET);
	assert_int_equal(packet.options.blksize, 1432);
	assert_true(packet.options.has_tsize);
	assert_int_equal(decoded(SLICE_LITERAL("\0\1a\0NetASCII\0")).mode, TFTP_MODE_NETASCII);
	assert_int_equal(decoded(SLICE_LITERAL("\0\2a\0mail\0")).mode, TFTP_MODE_OTHER);
	assert_int_equal(decoded(SLICE_LITERAL("\0\2a\0octet\0")).opcode, TFTP_WRQ);
}

#define RRQ(options) SLICE_LITERAL("\0\1a\0octet\0" options)

static void odd_options_are_passed_over(void **state)
{
	static const struct {
		const char *text;
		size_t len;
	} odd[] = {
#define ODD(s) { s, sizeof(s) - 1 }
		ODD("blksize\0007\0"),
		ODD("blksize\00014x\0"),
		ODD("blksize\0-1\0"),
		ODD("blksize\0\0"),
		ODD("blksize\0"),
		ODD("blksize"),
		ODD("timeout\0000\0"),
		ODD("timeout\000256\0"),
		ODD("windowsize\0000\0"),
		ODD("utimeout\0009999\0"),
		ODD("utimeout\000255000001\0"),
		ODD("rollover\0001\0"),
		ODD("tsize\00099999999999999999999999\0"),
		ODD("\0\0\0\0"),
#undef ODD
	};
	static const struct tftp_options none = { .has_blksize = false };

	for (size_t i = 0; i < ARRAY_SIZE(odd); i++) {
		uint8_t room[128];
		struct bytes raw = BYTES_ON(room);
		struct tftp_packet packet;

		bytes_append_slice(&raw, RRQ(""));
		bytes_append(&raw, odd[i].text, odd[i].len);
		packet = decoded(bytes_slice(&raw));
		assert_memory_equal(&packet.options, &none, sizeof(none));
	}
}

static void bounds_of_options_are_in(void **state)
{
	assert_int_equal(decoded(RRQ("blksize\0008\0")).options.blksize, 8);
	assert_int_equal(decoded(RRQ("blksize\00065464\0")).options.blksize, 65464);
	assert_int_equal(decoded(RRQ("blksize\00065535\0")).options.blksize, 65464);
	assert_int_equal(decoded(RRQ("windowsize\00099999\0")).options.windowsize, 65535);
	assert_int_equal(decoded(RRQ("timeout\000255\0")).options.timeout, 255);
	assert_int_equal(decoded(RRQ("utimeout\00010000\0")).options.utimeout, 10000);
	assert_int_equal(decoded(RRQ("blksize\0001024\0blksize\000512\0")).options.blksize, 1024);
	assert_int_equal(decoded(RRQ("foo\0bar\0timeout\0003")).options.timeout, 3);
}

static void other_packets_of_a_client_are_understood(void **state)
{
	struct tftp_packet packet = decoded(SLICE_LITERAL("\0\4\x12\x34"));

	assert_int_equal(packet.opcode, TFTP_ACK);
	assert_int_equal(packet.block, 0x1234);
	packet = decoded(SLICE_LITERAL("\0\5\0\10User aborted the transfer\0"));
	assert_int_equal(packet.opcode, TFTP_ERROR);
	assert_int_equal(packet.error, TFTP_ERROR_OPTION);
	assert_slice_equal(packet.message, "User aborted the transfer");
	assert_int_equal(decoded(SLICE_LITERAL("\0\5\0\0")).message.len, 0);
	packet = decoded(SLICE_LITERAL("\0\3\0\1abc"));
	assert_slice_equal(packet.data, "abc");
}

static void what_is_no_tftp_is_malformed(void **state)
{
	static const struct {
		const char *text;
		size_t len;
	} bad[] = {
#define BAD(s) { s, sizeof(s) - 1 }
		BAD(""),
		BAD("\0"),
		BAD("\0\0"),
		BAD("\0\7ab"),
		BAD("\1\1a\0octet\0"),
		BAD("\0\1"),
		BAD("\0\1\0octet\0"),
		BAD("\0\1abc"),
		BAD("\0\1abc\0"),
		BAD("\0\4"),
		BAD("\0\4\0"),
		BAD("\0\3"),
		BAD("\0\5\0"),
#undef BAD
	};
	struct tftp_packet packet;

	for (size_t i = 0; i < ARRAY_SIZE(bad); i++)
		assert_int_equal(tftp_packet_decode(slice_make(bad[i].text, bad[i].len), &packet),
		                 TFTP_MALFORMED);
}

static void building_gives_what_was_decoded(void **state)
{
	static const struct slice packets[] = {
		SLICE_LITERAL("\0\1a/b\0octet\0blksize\0001432\0tsize\0000\0"),
		SLICE_LITERAL("\0\2x\0netascii\0"),
		SLICE_LITERAL("\0\3\377\377data"),
		SLICE_LITERAL("\0\3\0\1"),
		SLICE_LITERAL("\0\4\0\0"),
		SLICE_LITERAL("\0\5\0\1no such file\0"),
		SLICE_LITERAL(
			"\0\6blksize\0001468\0tsize\000173792\0timeout\0003\0utimeout\00020000\0"
			"windowsize\0004\0"),
	};

	for (size_t i = 0; i < ARRAY_SIZE(packets); i++) {
		uint8_t room[256];
		struct bytes out = BYTES_ON(room);
		struct tftp_packet packet = decoded(packets[i]);

		tftp_packet_build(&packet, &out);
		assert_false(out.overflow);
		assert_int_equal(out.len, packets[i].len);
		assert_memory_equal(out.data, packets[i].data, out.len);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_firmwares_first_request_is_understood),
		cmocka_unit_test(letter_case_counts_nowhere_but_in_the_name),
		cmocka_unit_test(odd_options_are_passed_over),
		cmocka_unit_test(bounds_of_options_are_in),
		cmocka_unit_test(other_packets_of_a_client_are_understood),
		cmocka_unit_test(what_is_no_tftp_is_malformed),
		cmocka_unit_test(building_gives_what_was_decoded),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

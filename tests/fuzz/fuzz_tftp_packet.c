/* SPDX-License-Identifier: MulanPSL-2.0 */
/*
 * A datagram of anybody: what is understood can be built again and then means the same.
 */
#include <assert.h>

#include "server/proto/tftp_packet.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_options(const struct tftp_options *a, const struct tftp_options *b)
{
	assert(a->has_blksize == b->has_blksize && a->blksize == b->blksize);
	assert(a->has_tsize == b->has_tsize && a->tsize == b->tsize);
	assert(a->has_timeout == b->has_timeout && a->timeout == b->timeout);
	assert(a->has_utimeout == b->has_utimeout && a->utimeout == b->utimeout);
	assert(a->has_windowsize == b->has_windowsize && a->windowsize == b->windowsize);
	assert(!a->has_blksize ||
	       (a->blksize >= TFTP_BLKSIZE_MIN && a->blksize <= TFTP_BLKSIZE_MAX));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static uint8_t room[70000];
	struct bytes out = { .data = room, .cap = sizeof(room) };
	struct tftp_packet packet, again;

	if (size > UINT16_MAX) /* no datagram is longer */
		return 0;
	if (tftp_packet_decode(slice_make(data, size), &packet) != 0)
		return 0;
	tftp_packet_build(&packet, &out);
	assert(!out.overflow);
	assert(tftp_packet_decode(bytes_slice(&out), &again) == 0);
	assert(again.opcode == packet.opcode && again.mode == packet.mode);
	assert(again.block == packet.block && again.error == packet.error);
	assert(slice_equal(again.name, packet.name) && slice_equal(again.data, packet.data));
	assert(slice_equal(again.message, packet.message));
	check_options(&packet.options, &again.options);
	return 0;
}

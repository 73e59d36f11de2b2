/* SPDX-License-Identifier: MulanPSL-2.0 */
/*
 * A TFTP session walked through: its wishes collected, packets of a client handed in.
 */
#pragma once

#include "tests/support/test.h"

#include "lib/base/macro.h"
#include "server/core/tftp_session.h"

#define MSEC USEC_PER_MSEC
#define SEC  USEC_PER_SEC

/* The file of all tests: what stands at an offset is known without keeping it. */
static inline uint8_t byte_at(uint64_t offset)
{
	return (uint8_t)(offset * 7 + (offset >> 9) * 13 + (offset >> 20));
}

static inline void begin(struct tftp_session *session, const char *options, size_t options_len,
                         uint64_t size)
{
	uint8_t room[256];
	struct bytes raw = BYTES_ON(room);
	struct tftp_packet request;
	struct rng rng;

	rng_init(&rng, 1);
	bytes_append_slice(&raw, SLICE_LITERAL("\0\1f\0octet\0"));
	bytes_append(&raw, options, options_len);
	assert_int_equal(tftp_packet_decode(bytes_slice(&raw), &request), 0);
	tftp_session_init(session, &request, size, 1500, &TFTP_LIMITS_DEFAULT, &rng, 0);
}

#define BEGIN(session, options, size) begin(session, options, sizeof(options) - 1, size)

/* Does what the session wants until it waits or ends; counts and checks what it sends. */
struct sent {
	unsigned n;
	uint16_t first, last;      /* block numbers of DATA */
	struct tftp_packet packet; /* the last one */
	size_t data_len;
	uint8_t copy[TFTP_SESSION_PACKET_MAX];
};

static inline enum tftp_want run(struct tftp_session *session, usec_t now, struct sent *sent)
{
	static uint8_t data[TFTP_BLKSIZE_MAX];

	*sent = (struct sent){ .n = 0 };
	for (;;) {
		struct tftp_step step;
		enum tftp_want want = tftp_session_next(session, now, &step);

		if (want == TFTP_WANT_RECV || want == TFTP_WANT_CLOSE)
			return want;
		if (want == TFTP_WANT_BLOCK) {
			for (uint32_t i = 0; i < step.len; i++)
				data[i] = byte_at(step.offset + i);
			assert_int_equal(
				tftp_session_fill(session, slice_make(data, step.len), now), 0);
			continue;
		}
		assert_true(step.head.len <= sizeof(sent->copy));
		memcpy(sent->copy, step.head.data, step.head.len);
		assert_int_equal(
			tftp_packet_decode(slice_make(sent->copy, step.head.len), &sent->packet),
			0);
		sent->data_len = step.block.len;
		if (sent->packet.opcode == TFTP_DATA && sent->n == 0)
			sent->first = sent->packet.block;
		sent->last = sent->packet.block;
		sent->n++;
	}
}

static inline int ack(struct tftp_session *session, uint16_t block, usec_t now)
{
	uint8_t room[8];
	struct bytes raw = BYTES_ON(room);

	tftp_packet_build(&(struct tftp_packet){ .opcode = TFTP_ACK, .block = block }, &raw);
	return tftp_session_input(session, bytes_slice(&raw), now);
}

/* SPDX-License-Identifier: MulanPSL-2.0 */
/*
 * A client that says anything at any time. Input: length byte and request, size of the file (4
 * bytes), then records: milliseconds that pass, length, packet. What must hold: a session never
 * asks for bytes outside the file, never sends more than a window in front of what was
 * acknowledged, each turn is finite, and when the client is silent from there on it ends.
 */
#include <assert.h>

#include "lib/base/macro.h"
#include "server/core/tftp_session.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void run(struct tftp_session *session, usec_t now)
{
	static const uint8_t block[TFTP_BLKSIZE_MAX];
	uint32_t n_sent = 0;

	for (;;) {
		struct tftp_step step;
		enum tftp_want want = tftp_session_next(session, now, &step);

		if (want == TFTP_WANT_RECV || want == TFTP_WANT_CLOSE)
			break;
		if (want == TFTP_WANT_SEND) {
			assert(++n_sent <= session->windowsize + 1);
			assert(step.head.len >= TFTP_HEADER_SIZE);
			continue;
		}
		assert(step.offset <= session->size && step.len <= session->size - step.offset);
		assert(step.len <= session->blksize);
		assert(tftp_session_fill(session, slice_make(block, step.len), now) == 0);
	}
	assert(session->acked <= session->sent && session->sent <= session->sent_max);
	assert(session->sent_max - session->acked <= session->windowsize);
	assert(session->acked <= session->n_blocks);
}

static bool begin(struct slice *input, struct tftp_session *session)
{
	struct tftp_packet request;
	struct slice head;
	struct rng rng;

	rng_init(&rng, 1);
	if (input->len < 1)
		return false;
	head = slice_take(input, 1);
	if (input->len < (size_t)head.data[0] + 4)
		return false;
	head = slice_take(input, head.data[0]);
	if (tftp_packet_decode(head, &request) != 0)
		return false;
	tftp_session_init(session, &request, get_be32(slice_take(input, 4).data), 1500,
	                  &TFTP_LIMITS_DEFAULT, &rng, 0);
	return true;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct slice input = slice_make(data, size);
	struct tftp_session session;
	usec_t now = 0;

	if (!begin(&input, &session))
		return 0;
	run(&session, now);
	while (input.len >= 2) {
		struct slice head = slice_take(&input, 2);

		now += head.data[0] * USEC_PER_MSEC * 16;
		(void)tftp_session_timeout(&session, now);
		(void)tftp_session_input(
			&session, slice_take(&input, MIN((size_t)head.data[1], input.len)), now);
		run(&session, now);
	}
	for (unsigned i = 0; i < 1000000 && tftp_session_end(&session) == TFTP_END_NONE; i++) {
		now = tftp_session_deadline(&session);
		assert(tftp_session_timeout(&session, now) == 0);
		run(&session, now);
	}
	assert(tftp_session_end(&session) != TFTP_END_NONE);
	assert(tftp_session_deadline(&session) == USEC_INFINITY);
	return 0;
}

/* SPDX-License-Identifier: MulanPSL-2.0 */
/* Whole files over a link that loses, doubles and delays packets. */
#include "tests/support/tftp_walk.h"

/* A receiver after RFC 7440: keeps what comes in order, acknowledges each full window, the end, and
 * any gap; says its last ACK again when nothing came for a while. */
struct receiver {
	uint64_t size, n_blocks;
	uint32_t blksize, windowsize;
	uint64_t have; /* blocks in order */
	uint32_t in_window;
	bool is_wrong;
	usec_t heard_at;
};

enum { LINK_MAX = 512 };

struct flight {
	usec_t at;
	bool to_client;
	uint16_t number; /* ACK: block. DATA: block */
	bool is_oack;
	uint64_t offset; /* DATA, ACK: nothing */
	uint32_t len;
};

struct link {
	struct rng rng;
	unsigned loss, doubled, late; /* of 1000 */
	usec_t delay_max, last_at[2];
	struct flight flights[LINK_MAX];
	size_t n;
	uint64_t n_sent;
};

static void put(struct link *link, struct flight flight, usec_t now)
{
	unsigned copies = rng_between(&link->rng, 1, 1000) <= link->doubled ? 2 : 1;
	usec_t *last_at = &link->last_at[flight.to_client];

	link->n_sent++;
	for (unsigned i = 0; i < copies; i++) {
		if (rng_between(&link->rng, 1, 1000) <= link->loss || link->n == LINK_MAX)
			continue;
		flight.at = now + 50 + rng_between(&link->rng, 0, link->delay_max);
		/* Packets keep their order, but for the few that are late. */
		flight.at = MAX(flight.at, *last_at);
		if (rng_between(&link->rng, 1, 1000) <= link->late)
			flight.at += 5 * link->delay_max;
		else
			*last_at = flight.at;
		link->flights[link->n++] = flight;
	}
}

static bool take(struct link *link, usec_t until, struct flight *ret)
{
	size_t best = link->n;

	for (size_t i = 0; i < link->n; i++)
		if (link->flights[i].at <= until &&
		    (best == link->n || link->flights[i].at < link->flights[best].at))
			best = i;
	if (best == link->n)
		return false;
	*ret = link->flights[best];
	memmove(&link->flights[best], &link->flights[best + 1],
	        (link->n - best - 1) * sizeof(link->flights[0]));
	link->n--;
	return true;
}

static void say_ack(struct receiver *receiver, struct link *link, usec_t now)
{
	receiver->in_window = 0;
	put(link, (struct flight){ .number = (uint16_t)receiver->have }, now);
}

static void receive(struct receiver *receiver, const struct flight *flight, struct link *link,
                    usec_t now)
{
	receiver->heard_at = now;
	if (flight->is_oack) {
		if (receiver->have == 0)
			say_ack(receiver, link, now);
		return;
	}
	if (flight->number != (uint16_t)(receiver->have + 1)) {
		say_ack(receiver, link, now);
		return;
	}
	if (flight->offset != receiver->have * receiver->blksize)
		receiver->is_wrong = true;
	receiver->have++;
	receiver->in_window++;
	if (flight->len != MIN((uint64_t)receiver->blksize, receiver->size - flight->offset))
		receiver->is_wrong = true;
	if (receiver->in_window == receiver->windowsize || flight->len < receiver->blksize)
		say_ack(receiver, link, now);
}

/* The session's side: all it wants goes to the link. The block's bytes stand for their offset. */
static void send_all(struct tftp_session *session, struct link *link, usec_t now)
{
	static uint8_t data[TFTP_BLKSIZE_MAX];
	uint64_t offset = 0;

	for (;;) {
		struct tftp_step step;
		struct tftp_packet packet;
		enum tftp_want want = tftp_session_next(session, now, &step);

		if (want == TFTP_WANT_RECV || want == TFTP_WANT_CLOSE)
			return;
		if (want == TFTP_WANT_BLOCK) {
			offset = step.offset;
			assert_int_equal(
				tftp_session_fill(session, slice_make(data, step.len), now), 0);
			continue;
		}
		assert_int_equal(tftp_packet_decode(step.head, &packet), 0);
		put(link,
		    (struct flight){ .to_client = true,
		                     .number = packet.block,
		                     .is_oack = packet.opcode == TFTP_OACK,
		                     .offset = offset,
		                     .len = (uint32_t)step.block.len },
		    now);
	}
}

static usec_t earliest(const struct link *link)
{
	usec_t at = USEC_INFINITY;

	for (size_t i = 0; i < link->n; i++)
		at = usec_min(at, link->flights[i].at);
	return at;
}

/* Runs a transfer to its end; returns how it ended for the server. */
static enum tftp_end transfer(struct tftp_session *session, struct receiver *receiver,
                              struct link *link)
{
	usec_t now = 0;

	for (unsigned turn = 0; turn < 2000000; turn++) {
		usec_t wake;
		struct flight flight;

		send_all(session, link, now);
		if (tftp_session_end(session) != TFTP_END_NONE)
			return tftp_session_end(session);
		wake = usec_min(earliest(link), tftp_session_deadline(session));
		if (receiver->have < receiver->n_blocks)
			wake = usec_min(wake, receiver->heard_at + 3 * SEC);
		now = MAX(now, wake);
		if (take(link, now, &flight)) {
			if (flight.to_client)
				receive(receiver, &flight, link, now);
			else
				(void)ack(session, flight.number, now);
		} else if (receiver->have < receiver->n_blocks &&
		           now >= receiver->heard_at + 3 * SEC) {
			receiver->heard_at = now;
			say_ack(receiver, link, now);
		}
		(void)tftp_session_timeout(session, now);
	}
	fail_msg("the transfer does not end");
	return TFTP_END_NONE;
}

struct story {
	uint64_t size;
	uint32_t blksize, windowsize;
	unsigned loss, doubled, late;
	usec_t delay_max;
};

static void tell(const struct story *story, uint64_t seed)
{
	struct tftp_packet request = {
		.opcode = TFTP_RRQ,
		.options = { .has_blksize = true,
		             .blksize = story->blksize,
		             .has_windowsize = true,
		             .windowsize = story->windowsize },
	};
	struct receiver receiver = { .size = story->size,
		                     .n_blocks = story->size / story->blksize + 1,
		                     .blksize = story->blksize,
		                     .windowsize = story->windowsize };
	static struct link link;
	struct tftp_session session;
	enum tftp_end end;
	struct rng rng;

	link = (struct link){ .loss = story->loss,
		              .doubled = story->doubled,
		              .late = story->late,
		              .delay_max = story->delay_max };
	rng_init(&link.rng, seed);
	rng_init(&rng, seed + 1);
	tftp_session_init(&session, &request, story->size, 0, &TFTP_LIMITS_DEFAULT, &rng, 0);
	end = transfer(&session, &receiver, &link);
	assert_true(end == TFTP_END_DONE || end == TFTP_END_UNCONFIRMED);
	assert_int_equal(receiver.have, receiver.n_blocks);
	assert_false(receiver.is_wrong);
	/* Doubled and late packets never breed: no Sorcerer's Apprentice. */
	if (story->loss == 0 && story->windowsize == 1)
		assert_int_equal(session.n_retransmits, 0);
	if (story->loss == 0)
		assert_true(session.n_retransmits <= 2 * receiver.n_blocks);
	if (story->loss == 0 && story->doubled == 0 && story->late == 0)
		assert_int_equal(session.n_retransmits, 0);
}

static void files_arrive_whole_over_a_bad_link(void **state)
{
	static const struct story stories[] = {
		{ 0, 512, 1, 0, 0, 0, 100 },
		{ 511, 512, 1, 0, 0, 0, 100 },
		{ 512, 512, 1, 0, 0, 0, 100 },
		{ 512 * 8, 512, 4, 0, 0, 0, 100 },
		{ 100000, 1468, 4, 0, 0, 0, 1000 },
		{ 100000, 1432, 1, 50, 0, 0, 1000 },
		{ 100000, 1432, 1, 0, 500, 100, 1000 },
		{ 100000, 1432, 1, 100, 100, 50, 20000 },
		{ 300000, 1468, 4, 50, 0, 0, 100 },
		{ 300000, 1468, 4, 50, 50, 50, 1000 },
		{ 300000, 1468, 16, 100, 100, 10, 3000 },
		{ 300000, 512, 64, 20, 20, 0, 100 },
		{ 100000, 1468, 4, 0, 300, 0, 1000 },
		{ 100000, 1468, 4, 0, 0, 100, 1000 },
		{ 5000, 8, 64, 100, 0, 0, 100 },
	};

	for (size_t i = 0; i < ARRAY_SIZE(stories); i++)
		for (uint64_t seed = 1; seed <= 20; seed++)
			tell(&stories[i], seed * 1000 + i);
}

static void block_numbers_wrap(void **state)
{
	static const struct story stories[] = {
		{ 512 * UINT64_C(70000), 512, 1, 0, 0, 0, 0 },
		{ 512 * UINT64_C(65535), 512, 16, 0, 0, 0, 0 },
		{ 512 * UINT64_C(65536), 512, 16, 0, 0, 0, 0 },
		{ 1432 * UINT64_C(70000) + 5, 1432, 16, 0, 0, 0, 0 },
		{ 8 * UINT64_C(70000), 8, 16, 5, 5, 5, 100 },
	};

	for (size_t i = 0; i < ARRAY_SIZE(stories); i++)
		tell(&stories[i], i);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(files_arrive_whole_over_a_bad_link),
		cmocka_unit_test(block_numbers_wrap),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

/* SPDX-License-Identifier: MulanPSL-2.0 */
/*
 * Transfers without a socket: step by step where one packet matters, and whole files over a link
 * that loses, doubles and delays.
 */
#include "tests/support/test.h"

#include "lib/base/macro.h"
#include "server/core/tftp_session.h"

#define MSEC USEC_PER_MSEC
#define SEC  USEC_PER_SEC

/* The file of all tests: what stands at an offset is known without keeping it. */
static uint8_t byte_at(uint64_t offset)
{
	return (uint8_t)(offset * 7 + (offset >> 9) * 13 + (offset >> 20));
}

static void begin(struct tftp_session *session, const char *options, size_t options_len,
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

static enum tftp_want run(struct tftp_session *session, usec_t now, struct sent *sent)
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

static int ack(struct tftp_session *session, uint16_t block, usec_t now)
{
	uint8_t room[8];
	struct bytes raw = BYTES_ON(room);

	tftp_packet_build(&(struct tftp_packet){ .opcode = TFTP_ACK, .block = block }, &raw);
	return tftp_session_input(session, bytes_slice(&raw), now);
}

static void without_options_data_comes_at_once(void **state)
{
	struct tftp_session session;
	struct sent sent;

	BEGIN(&session, "", 700);
	assert_int_equal(run(&session, 0, &sent), TFTP_WANT_RECV);
	assert_int_equal(sent.n, 1);
	assert_int_equal(sent.packet.opcode, TFTP_DATA);
	assert_int_equal(sent.packet.block, 1);
	assert_int_equal(sent.data_len, 512);
	assert_int_equal(ack(&session, 1, 1), 0);
	assert_int_equal(run(&session, 1, &sent), TFTP_WANT_RECV);
	assert_int_equal(sent.data_len, 700 - 512);
	assert_int_equal(ack(&session, 2, 2), 0);
	assert_int_equal(run(&session, 2, &sent), TFTP_WANT_CLOSE);
	assert_int_equal(tftp_session_end(&session), TFTP_END_DONE);
	assert_int_equal(tftp_session_bytes_acked(&session), 700);
	assert_true(tftp_session_deadline(&session) == USEC_INFINITY);
}

static void the_oack_grants_no_more_than_asked_or_allowed(void **state)
{
	struct tftp_session session;
	struct sent sent;

	BEGIN(&session, "blksize\0009000\0tsize\0000\0windowsize\000500\0x\0001\0timeout\0003\0",
	      5);
	assert_int_equal(run(&session, 0, &sent), TFTP_WANT_RECV);
	assert_int_equal(sent.packet.opcode, TFTP_OACK);
	assert_int_equal(sent.packet.options.blksize, 1468); /* of an MTU of 1500 */
	assert_int_equal(sent.packet.options.tsize, 5);
	assert_int_equal(sent.packet.options.windowsize, 64);
	assert_int_equal(sent.packet.options.timeout, 3);
	assert_false(sent.packet.options.has_utimeout);
	BEGIN(&session, "blksize\0001432\0", 5);
	assert_int_equal(run(&session, 0, &sent), TFTP_WANT_RECV);
	assert_int_equal(sent.packet.options.blksize, 1432);
	assert_false(sent.packet.options.has_tsize || sent.packet.options.has_windowsize);
}

/* The largest OACK there can be fits. */
static void every_option_at_its_longest_fits(void **state)
{
	struct tftp_session session;
	struct sent sent;

	BEGIN(&session,
	      "blksize\0001468\0tsize\0000\0timeout\000255\0utimeout\000255000000\0windowsize\0009\0",
	      (uint64_t)INT64_MAX);
	assert_int_equal(run(&session, 0, &sent), TFTP_WANT_RECV);
	assert_true(sent.packet.options.tsize == (uint64_t)INT64_MAX);
	assert_int_equal(sent.packet.options.windowsize, 9);
}

static void data_starts_with_the_ack_of_the_oack(void **state)
{
	struct tftp_session session;
	struct sent sent;

	BEGIN(&session, "blksize\000100\0windowsize\0004\0", 1000);
	assert_int_equal(run(&session, 0, &sent), TFTP_WANT_RECV);
	assert_int_equal(ack(&session, 1, 1), TFTP_IGNORED);
	assert_int_equal(ack(&session, 0, 1), 0);
	assert_int_equal(run(&session, 1, &sent), TFTP_WANT_RECV);
	assert_int_equal(sent.n, 4);
	assert_int_equal(sent.first, 1);
	assert_int_equal(sent.last, 4);
}

/* OVMF asks for the size, answers the OACK with an ERROR, and asks again from another port. */
static void the_firmwares_aborted_first_read_ends_quietly(void **state)
{
	struct tftp_session session;
	struct sent sent;

	BEGIN(&session, "tsize\0000\0blksize\0001468\0windowsize\0004\0", 173792);
	assert_int_equal(run(&session, 0, &sent), TFTP_WANT_RECV);
	assert_int_equal(tftp_session_input(&session,
	                                    SLICE_LITERAL("\0\5\0\10User aborted the transfer\0"),
	                                    1),
	                 0);
	assert_int_equal(run(&session, 1, &sent), TFTP_WANT_CLOSE);
	assert_int_equal(sent.n, 0);
	assert_int_equal(tftp_session_end(&session), TFTP_END_PROBED);
}

static void an_error_in_the_middle_is_an_abort(void **state)
{
	struct tftp_session session;
	struct sent sent;

	BEGIN(&session, "", 5000);
	(void)run(&session, 0, &sent);
	assert_int_equal(ack(&session, 1, 1), 0);
	assert_int_equal(tftp_session_input(&session, SLICE_LITERAL("\0\5\0\3full\0"), 1), 0);
	assert_int_equal(run(&session, 1, &sent), TFTP_WANT_CLOSE);
	assert_int_equal(tftp_session_end(&session), TFTP_END_ABORTED);
	assert_int_equal(tftp_session_bytes_acked(&session), 512);
}

static void a_repeated_ack_of_one_block_sends_nothing(void **state)
{
	struct tftp_session session;
	struct sent sent;

	BEGIN(&session, "", 5000);
	(void)run(&session, 0, &sent);
	assert_int_equal(ack(&session, 1, 1), 0);
	(void)run(&session, 1, &sent);
	assert_int_equal(sent.n, 1);
	for (int i = 0; i < 5; i++) {
		assert_int_equal(ack(&session, 1, 10 * MSEC), TFTP_IGNORED);
		(void)run(&session, 10 * MSEC, &sent);
		assert_int_equal(sent.n, 0);
	}
	assert_int_equal(ack(&session, 0, 11 * MSEC), TFTP_IGNORED);
	assert_int_equal(ack(&session, 3, 11 * MSEC), TFTP_IGNORED); /* never sent */
}

static void an_ack_inside_the_window_restarts_after_it(void **state)
{
	struct tftp_session session;
	struct sent sent;

	BEGIN(&session, "windowsize\0004\0", 512 * 20);
	(void)run(&session, 0, &sent);
	assert_int_equal(ack(&session, 0, MSEC), 0);
	(void)run(&session, MSEC, &sent);
	assert_int_equal(ack(&session, 2, 2 * MSEC), 0);
	(void)run(&session, 2 * MSEC, &sent);
	assert_int_equal(sent.first, 3);
	assert_int_equal(sent.last, 6);
	assert_int_equal(ack(&session, 1, 2 * MSEC), TFTP_IGNORED); /* older than the window */
	assert_int_equal(ack(&session, 7, 2 * MSEC), TFTP_IGNORED); /* not sent yet */
	assert_int_equal(ack(&session, 6, 3 * MSEC), 0);
	(void)run(&session, 3 * MSEC, &sent);
	assert_int_equal(sent.first, 7);
}

static void a_lost_first_block_of_a_window_is_sent_again_once(void **state)
{
	struct tftp_session session;
	struct sent sent;

	BEGIN(&session, "windowsize\0004\0", 512 * 20);
	(void)run(&session, 0, &sent);
	assert_int_equal(ack(&session, 0, MSEC), 0);
	(void)run(&session, MSEC, &sent);
	assert_int_equal(ack(&session, 4, 2 * MSEC), 0);
	(void)run(&session, 2 * MSEC, &sent);
	/* Too soon: the client cannot have seen this window. */
	assert_int_equal(ack(&session, 4, 2 * MSEC + 100), TFTP_IGNORED);
	assert_int_equal(ack(&session, 4, 4 * MSEC), 0);
	(void)run(&session, 4 * MSEC, &sent);
	assert_int_equal(sent.first, 5);
	assert_int_equal(sent.last, 8);
	assert_int_equal(ack(&session, 4, 6 * MSEC), TFTP_IGNORED);
	/* What went twice is acknowledged twice. */
	assert_int_equal(ack(&session, 8, 7 * MSEC), 0);
	(void)run(&session, 7 * MSEC, &sent);
	assert_int_equal(sent.first, 9);
	assert_int_equal(ack(&session, 8, 9 * MSEC), TFTP_IGNORED);
}

static void silence_repeats_with_growing_waits_and_ends(void **state)
{
	struct tftp_session session;
	struct sent sent;
	usec_t now = 0, wait = 0, last_wait = 0;
	unsigned n = 0;

	BEGIN(&session, "", 5000);
	(void)run(&session, 0, &sent);
	assert_int_equal(tftp_session_timeout(&session, 1), TFTP_IGNORED);
	while (tftp_session_end(&session) == TFTP_END_NONE) {
		wait = tftp_session_deadline(&session) - now;
		assert_true(wait >= SEC && wait <= 10 * SEC);
		now += wait;
		assert_int_equal(tftp_session_timeout(&session, now), 0);
		(void)run(&session, now, &sent);
		if (tftp_session_end(&session) != TFTP_END_NONE)
			break;
		assert_int_equal(sent.n, 1);
		assert_int_equal(sent.packet.block, 1);
		last_wait = MAX(last_wait, wait);
		n++;
	}
	assert_int_equal(tftp_session_end(&session), TFTP_END_TIMED_OUT);
	assert_true(last_wait >= 8 * SEC);
	assert_true(n >= 5 && n <= 15);
	assert_true(now >= 60 * SEC && now < 75 * SEC);
	assert_int_equal(session.n_retransmits, n);
}

static void the_clients_timeout_is_honoured(void **state)
{
	struct tftp_session session;
	struct sent sent;

	BEGIN(&session, "timeout\00020\0", 5000);
	(void)run(&session, 0, &sent);
	assert_true(tftp_session_deadline(&session) >= 20 * SEC);
	assert_true(tftp_session_deadline(&session) <= 25 * SEC);
	BEGIN(&session, "utimeout\00050000\0", 5000);
	(void)run(&session, 0, &sent);
	assert_true(tftp_session_deadline(&session) >= 50 * MSEC);
	assert_true(tftp_session_deadline(&session) <= 63 * MSEC);
}

static void jitter_differs_between_sessions(void **state)
{
	struct tftp_packet request;
	struct tftp_session a, b;
	struct rng rng;

	rng_init(&rng, 7);
	assert_int_equal(tftp_packet_decode(SLICE_LITERAL("\0\1f\0octet\0"), &request), 0);
	tftp_session_init(&a, &request, 1, 0, &TFTP_LIMITS_DEFAULT, &rng, 0);
	tftp_session_init(&b, &request, 1, 0, &TFTP_LIMITS_DEFAULT, &rng, 0);
	assert_true(tftp_session_deadline(&a) != tftp_session_deadline(&b));
}

static void a_lost_last_ack_is_no_failure_and_soon_over(void **state)
{
	struct tftp_session session;
	struct sent sent;
	usec_t now = 0;

	BEGIN(&session, "", 100);
	(void)run(&session, 0, &sent);
	while (tftp_session_end(&session) == TFTP_END_NONE) {
		now = tftp_session_deadline(&session);
		assert_int_equal(tftp_session_timeout(&session, now), 0);
		(void)run(&session, now, &sent);
	}
	assert_int_equal(tftp_session_end(&session), TFTP_END_UNCONFIRMED);
	assert_true(now <= 20 * SEC);
}

static void a_closed_port_ends_it_at_once(void **state)
{
	struct tftp_session session;
	struct sent sent;

	BEGIN(&session, "", 5000);
	(void)run(&session, 0, &sent);
	tftp_session_gone(&session);
	assert_int_equal(tftp_session_end(&session), TFTP_END_ABORTED);
	BEGIN(&session, "tsize\0000\0", 5000);
	(void)run(&session, 0, &sent);
	tftp_session_gone(&session);
	assert_int_equal(tftp_session_end(&session), TFTP_END_PROBED);
	BEGIN(&session, "", 100);
	(void)run(&session, 0, &sent);
	tftp_session_gone(&session);
	assert_int_equal(tftp_session_end(&session), TFTP_END_UNCONFIRMED);
	assert_int_equal(run(&session, 0, &sent), TFTP_WANT_CLOSE);
	tftp_session_gone(&session);
	assert_int_equal(tftp_session_end(&session), TFTP_END_UNCONFIRMED);
}

static void a_slow_disk_is_not_the_clients_fault(void **state)
{
	struct tftp_session session;
	struct tftp_step step;
	struct sent sent;
	usec_t now = 0;

	BEGIN(&session, "", 100);
	assert_int_equal(tftp_session_next(&session, 0, &step), TFTP_WANT_BLOCK);
	while (tftp_session_end(&session) == TFTP_END_NONE) {
		assert_int_equal(tftp_session_next(&session, now, &step), TFTP_WANT_BLOCK);
		now = tftp_session_deadline(&session);
		assert_int_equal(tftp_session_timeout(&session, now), 0);
	}
	assert_true(now >= 60 * SEC);
	assert_int_equal(tftp_session_end(&session), TFTP_END_FAILED);
	assert_int_equal(run(&session, now, &sent), TFTP_WANT_CLOSE);
	assert_int_equal(sent.n, 1);
	assert_int_equal(sent.packet.opcode, TFTP_ERROR);
}

static void a_short_block_ends_with_an_error(void **state)
{
	struct tftp_session session;
	struct tftp_step step;
	struct sent sent;

	BEGIN(&session, "", 100);
	assert_int_equal(tftp_session_next(&session, 0, &step), TFTP_WANT_BLOCK);
	assert_int_equal(step.len, 100);
	assert_int_equal(tftp_session_fill(&session, SLICE_LITERAL("abc"), 0), 0);
	assert_int_equal(run(&session, 0, &sent), TFTP_WANT_CLOSE);
	assert_int_equal(sent.n, 1);
	assert_int_equal(sent.packet.opcode, TFTP_ERROR);
	assert_int_equal(tftp_session_end(&session), TFTP_END_FAILED);
	assert_int_equal(tftp_session_fill(&session, SLICE_LITERAL("abc"), 0), TFTP_IGNORED);
}

static void a_failure_message_is_cut_to_its_room(void **state)
{
	struct tftp_session session;
	char message[500];
	struct sent sent;

	memset(message, 'x', sizeof(message) - 1);
	message[sizeof(message) - 1] = '\0';
	BEGIN(&session, "tsize\0000\0", 100);
	tftp_session_fail(&session, TFTP_ERROR_UNDEFINED, message);
	tftp_session_fail(&session, TFTP_ERROR_ACCESS, "again");
	assert_int_equal(run(&session, 0, &sent), TFTP_WANT_CLOSE);
	assert_int_equal(sent.n, 1);
	assert_int_equal(sent.packet.error, TFTP_ERROR_UNDEFINED);
	assert_true(sent.packet.message.len > 100 && sent.packet.message.len < 200);
}

static void noise_is_ignored(void **state)
{
	static const struct slice noise[] = {
		SLICE_LITERAL(""),
		SLICE_LITERAL("\0\4"),
		SLICE_LITERAL("\0\3\0\1abc"),
		SLICE_LITERAL("\0\1f\0octet\0"),
		SLICE_LITERAL("\0\6tsize\0005\0"),
	};
	struct tftp_session session;
	struct sent sent;

	BEGIN(&session, "", 100);
	(void)run(&session, 0, &sent);
	for (size_t i = 0; i < ARRAY_SIZE(noise); i++)
		assert_int_equal(tftp_session_input(&session, noise[i], 1), TFTP_IGNORED);
	(void)run(&session, 1, &sent);
	assert_int_equal(sent.n, 0);
}

/* --- whole files over a bad link --- */

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
		cmocka_unit_test(without_options_data_comes_at_once),
		cmocka_unit_test(the_oack_grants_no_more_than_asked_or_allowed),
		cmocka_unit_test(every_option_at_its_longest_fits),
		cmocka_unit_test(data_starts_with_the_ack_of_the_oack),
		cmocka_unit_test(the_firmwares_aborted_first_read_ends_quietly),
		cmocka_unit_test(an_error_in_the_middle_is_an_abort),
		cmocka_unit_test(a_repeated_ack_of_one_block_sends_nothing),
		cmocka_unit_test(an_ack_inside_the_window_restarts_after_it),
		cmocka_unit_test(a_lost_first_block_of_a_window_is_sent_again_once),
		cmocka_unit_test(silence_repeats_with_growing_waits_and_ends),
		cmocka_unit_test(the_clients_timeout_is_honoured),
		cmocka_unit_test(jitter_differs_between_sessions),
		cmocka_unit_test(a_lost_last_ack_is_no_failure_and_soon_over),
		cmocka_unit_test(a_closed_port_ends_it_at_once),
		cmocka_unit_test(a_slow_disk_is_not_the_clients_fault),
		cmocka_unit_test(a_short_block_ends_with_an_error),
		cmocka_unit_test(a_failure_message_is_cut_to_its_room),
		cmocka_unit_test(noise_is_ignored),
		cmocka_unit_test(files_arrive_whole_over_a_bad_link),
		cmocka_unit_test(block_numbers_wrap),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

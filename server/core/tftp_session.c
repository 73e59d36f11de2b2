/* SPDX-License-Identifier: MulanPSL-2.0 */
/*
 * Two positions make a transfer: what is acknowledged and what is sent. An ACK moves the first and
 * puts the second back to it; a timer puts the second back too. Everything else follows.
 */
#include "server/core/tftp_session.h"

#include "lib/base/macro.h"
#include "lib/base/table.h"

/* IPv4, UDP and TFTP headers. */
#define HEADERS_SIZE 32

/* Half of the 16-bit block numbers: an ACK in the other half is an old one. */
#define WINDOWSIZE_MAX 32767

static const char *const end_names[_TFTP_END_MAX] = {
	[TFTP_END_NONE] = "running",
	[TFTP_END_DONE] = "done",
	[TFTP_END_UNCONFIRMED] = "unconfirmed",
	[TFTP_END_PROBED] = "probed",
	[TFTP_END_ABORTED] = "aborted",
	[TFTP_END_TIMED_OUT] = "timed_out",
	[TFTP_END_FAILED] = "failed",
};

const char *tftp_end_to_name(int value)
{
	const char *name = table_name(end_names, ARRAY_SIZE(end_names), value);

	return name ? name : "?";
}

static void over(struct tftp_session *session, enum tftp_end end)
{
	session->state = TFTP_STATE_OVER;
	session->end = end;
	session->deadline = USEC_INFINITY;
	session->is_packet_due = false;
}

/* Chooses what the OACK says: never more than was asked for (RFC 2347). */
static struct tftp_options agree(const struct tftp_options *asked, uint64_t size, uint32_t mtu,
                                 const struct tftp_limits *limits)
{
	struct tftp_options agreed = *asked;
	uint32_t blksize_max = limits->blksize_max;

	if (mtu >= HEADERS_SIZE + TFTP_BLKSIZE_MIN)
		blksize_max = MIN(blksize_max, mtu - HEADERS_SIZE);
	agreed.blksize = MIN(agreed.blksize, blksize_max);
	agreed.windowsize = MIN(agreed.windowsize, limits->windowsize_max);
	agreed.windowsize = MIN(agreed.windowsize, (uint32_t)WINDOWSIZE_MAX);
	agreed.tsize = size;
	return agreed;
}

static bool is_any_agreed(const struct tftp_options *options)
{
	return options->has_blksize || options->has_tsize || options->has_timeout ||
	       options->has_utimeout || options->has_windowsize;
}

static usec_t first_interval(const struct tftp_session *session)
{
	if (session->agreed.has_utimeout)
		return session->agreed.utimeout;
	if (session->agreed.has_timeout)
		return session->agreed.timeout * USEC_PER_SEC;
	return session->limits.timeout;
}

/* The wait doubles with each repetition; up to a quarter more keeps a rack from marching in step.
 */
static void arm(struct tftp_session *session, usec_t now)
{
	usec_t jitter = rng_between(&session->rng, 0, session->interval / 4);

	session->deadline = usec_add(now, usec_add(session->interval, jitter));
}

static void back_off(struct tftp_session *session)
{
	usec_t longest = MAX(session->limits.timeout_max, first_interval(session));

	session->interval = usec_min(2 * session->interval, longest);
}

static void put_oack(struct tftp_session *session)
{
	struct tftp_packet oack = { .opcode = TFTP_OACK, .options = session->agreed };
	struct bytes out = BYTES_ON(session->packet);

	tftp_packet_build(&oack, &out);
	session->packet_len = out.len;
	session->is_packet_due = true;
}

void tftp_session_init(struct tftp_session *session, const struct tftp_packet *request,
                       uint64_t size, uint32_t mtu, const struct tftp_limits *limits,
                       struct rng *rng, usec_t now)
{
	struct tftp_options agreed = agree(&request->options, size, mtu, limits);

	*session = (struct tftp_session){
		.limits = *limits,
		.agreed = agreed,
		.blksize = agreed.has_blksize ? agreed.blksize : TFTP_BLKSIZE_DEFAULT,
		.windowsize = agreed.has_windowsize ? agreed.windowsize : 1,
		.size = size,
		.state = TFTP_STATE_DATA,
		.is_clean = true,
		.sent_at = now,
		.progress_at = now,
		.round_trip_min = USEC_INFINITY,
	};
	rng_init(&session->rng, rng_next(rng));
	session->n_blocks = size / session->blksize + 1;
	session->interval = first_interval(session);
	arm(session, now);
	if (is_any_agreed(&agreed)) {
		session->state = TFTP_STATE_OACK;
		put_oack(session);
	}
}

static bool has_block_to_send(const struct tftp_session *session)
{
	return session->state == TFTP_STATE_DATA && session->sent < session->n_blocks &&
	       session->sent - session->acked < session->windowsize;
}

static uint64_t block_offset(const struct tftp_session *session, uint64_t block)
{
	return (block - 1) * session->blksize;
}

static uint32_t block_len(const struct tftp_session *session, uint64_t block)
{
	return (uint32_t)MIN(session->size - block_offset(session, block),
	                     (uint64_t)session->blksize);
}

static enum tftp_want send_packet(struct tftp_session *session, struct tftp_step *step)
{
	session->is_packet_due = false;
	step->head = slice_make(session->packet, session->packet_len);
	return TFTP_WANT_SEND;
}

static enum tftp_want send_block(struct tftp_session *session, usec_t now, struct tftp_step *step)
{
	struct bytes head = BYTES_ON(session->packet);

	if (session->sent == session->acked) /* the first block of a window */
		session->sent_at = now;
	session->sent++;
	if (session->sent <= session->sent_max)
		session->n_retransmits++;
	session->sent_max = MAX(session->sent_max, session->sent);
	session->is_block_filled = false;
	arm(session, now);
	tftp_packet_build_data_header((uint16_t)(session->sent & 0xffff), &head);
	step->head = bytes_slice(&head);
	step->block = session->block;
	return TFTP_WANT_SEND;
}

enum tftp_want tftp_session_next(struct tftp_session *session, usec_t now,
                                 struct tftp_step *ret_step)
{
	struct tftp_step step = { .head = SLICE_NULL };
	enum tftp_want want = TFTP_WANT_RECV;

	if (session->is_packet_due) {
		want = send_packet(session, &step);
	} else if (session->state == TFTP_STATE_OVER) {
		want = TFTP_WANT_CLOSE;
	} else if (session->is_block_filled) {
		want = send_block(session, now, &step);
	} else if (has_block_to_send(session)) {
		step.offset = block_offset(session, session->sent + 1);
		step.len = block_len(session, session->sent + 1);
		want = TFTP_WANT_BLOCK;
	}
	*ret_step = step;
	return want;
}

int tftp_session_fill(struct tftp_session *session, struct slice block, usec_t now)
{
	if (!has_block_to_send(session) || session->is_block_filled || session->is_packet_due)
		return TFTP_IGNORED;
	if (block.len != block_len(session, session->sent + 1)) {
		tftp_session_fail(session, TFTP_ERROR_UNDEFINED, "the file has changed");
		return 0;
	}
	session->block = block;
	session->is_block_filled = true;
	return 0;
}

/* Everything after `acked` is to be sent (again). */
static void restart(struct tftp_session *session)
{
	session->sent = session->acked;
	session->is_block_filled = false;
}

/* Whether the client can have seen any of this window by now. */
static bool is_window_seen(const struct tftp_session *session, usec_t now)
{
	return session->round_trip_min == USEC_INFINITY ||
	       usec_sub(now, session->sent_at) >= session->round_trip_min;
}

/*
 * All up to `block` have arrived. When that is less than was sent, something behind it is lost and
 * all behind it goes again (RFC 7440 section 4), but at most once in a round trip: a client which
 * tells of the same gap with each block that follows it must not get as many windows.
 */
static void advance(struct tftp_session *session, uint64_t block, usec_t now)
{
	bool is_gap = block < session->sent, is_again = is_gap && is_window_seen(session, now);

	if (session->is_clean)
		session->round_trip_min =
			usec_min(session->round_trip_min, usec_sub(now, session->sent_at));
	session->acked = block;
	session->sent = MAX(session->sent, block); /* an ACK of what was sent before a restart */
	session->progress_at = now;
	session->has_repeated = session->is_doubled;
	session->is_doubled = false;
	session->is_clean = !is_gap;
	session->interval = first_interval(session);
	arm(session, now);
	if (block == session->n_blocks)
		over(session, TFTP_END_DONE);
	else if (!is_gap || is_again)
		restart(session);
}

/*
 * The client acknowledged once more what it had acknowledged before. With a window of one block
 * that says nothing: answering it would double each packet from there on (RFC 1123 section
 * 4.2.3.1). With a larger one it may say that the first block of the window was lost.
 */
static int repeated_ack(struct tftp_session *session, usec_t now)
{
	if (session->windowsize == 1 || session->sent == session->acked || session->has_repeated)
		return TFTP_IGNORED;
	if (!is_window_seen(session, now))
		return TFTP_IGNORED;
	session->has_repeated = true;
	session->is_doubled = true;
	session->is_clean = false;
	restart(session);
	return 0;
}

static int input_ack(struct tftp_session *session, uint16_t number, usec_t now)
{
	/* How far it is in front of `acked`, in the ring of 16-bit numbers. */
	uint16_t distance = (uint16_t)(number - (session->acked & 0xffff));

	if (session->state == TFTP_STATE_OACK) {
		if (number != 0)
			return TFTP_IGNORED;
		session->state = TFTP_STATE_DATA;
		advance(session, 0, now);
		return 0;
	}
	if (distance == 0)
		return repeated_ack(session, now);
	/* After a restart the ACK of what was sent before it may still arrive. */
	if (distance > session->sent_max - session->acked)
		return TFTP_IGNORED;
	advance(session, session->acked + distance, now);
	return 0;
}

/* Whether all is sent and only ACKs of the last window are missing. */
static bool is_at_the_end(const struct tftp_session *session)
{
	return session->state == TFTP_STATE_DATA && session->sent_max == session->n_blocks;
}

/* The client wants no more. Before the first block that is its way to learn the size. */
static enum tftp_end end_by_client(const struct tftp_session *session)
{
	return is_any_agreed(&session->agreed) && session->acked == 0 ? TFTP_END_PROBED
	                                                              : TFTP_END_ABORTED;
}

int tftp_session_input(struct tftp_session *session, struct slice raw, usec_t now)
{
	struct tftp_packet packet;

	if (session->state == TFTP_STATE_OVER)
		return TFTP_IGNORED;
	if (tftp_packet_decode(raw, &packet) != 0)
		return TFTP_IGNORED;
	switch (packet.opcode) {
	case TFTP_ACK:
		return input_ack(session, packet.block, now);
	case TFTP_ERROR:
		over(session, is_any_agreed(&session->agreed) && session->acked == 0
		                      ? TFTP_END_PROBED
		                      : TFTP_END_ABORTED);
		return 0;
	case TFTP_RRQ:
	case TFTP_WRQ:
	case TFTP_DATA:
	case TFTP_OACK:
		break;
	}
	return TFTP_IGNORED;
}

static bool is_silence_too_long(const struct tftp_session *session, usec_t now)
{
	usec_t patience = is_at_the_end(session) ? session->limits.dally : session->limits.give_up;

	/* One who asks for long waits gets at least three of them. */
	patience = MAX(patience, 3 * first_interval(session));
	return usec_sub(now, session->progress_at) >= patience;
}

/* The file takes its time. */
static int wait_for_block(struct tftp_session *session, usec_t now)
{
	if (is_silence_too_long(session, now))
		tftp_session_fail(session, TFTP_ERROR_UNDEFINED, "reading the file takes too long");
	else
		arm(session, now);
	return 0;
}

int tftp_session_timeout(struct tftp_session *session, usec_t now)
{
	if (session->state == TFTP_STATE_OVER || now < session->deadline)
		return TFTP_IGNORED;
	if (has_block_to_send(session)) /* not the client is late, but the owner with the file */
		return wait_for_block(session, now);
	if (is_silence_too_long(session, now)) {
		over(session, is_at_the_end(session) ? TFTP_END_UNCONFIRMED : TFTP_END_TIMED_OUT);
		return 0;
	}
	back_off(session);
	arm(session, now);
	session->is_clean = false;
	session->is_doubled = true;
	session->has_repeated = false;
	if (session->state == TFTP_STATE_OACK) {
		session->n_retransmits++;
		put_oack(session);
	} else {
		restart(session);
	}
	return 0;
}

usec_t tftp_session_deadline(const struct tftp_session *session)
{
	return session->deadline;
}

void tftp_session_fail(struct tftp_session *session, enum tftp_error code, const char *message)
{
	struct bytes out = BYTES_ON(session->packet);
	struct slice cut = slice_sub(slice_from_text(message), 0, sizeof(session->packet) - 8);

	if (session->state == TFTP_STATE_OVER)
		return;
	tftp_packet_build(&(struct tftp_packet){ .opcode = TFTP_ERROR,
	                                         .error = (uint16_t)code,
	                                         .message = cut },
	                  &out);
	session->packet_len = out.len;
	over(session, TFTP_END_FAILED);
	session->is_packet_due = true;
}

void tftp_session_gone(struct tftp_session *session)
{
	if (session->state == TFTP_STATE_OVER)
		return;
	over(session, is_at_the_end(session) ? TFTP_END_UNCONFIRMED : end_by_client(session));
}

enum tftp_end tftp_session_end(const struct tftp_session *session)
{
	return session->end;
}

uint64_t tftp_session_bytes_acked(const struct tftp_session *session)
{
	return MIN(session->acked * session->blksize, session->size);
}

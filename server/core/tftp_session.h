/* SPDX-License-Identifier: MulanPSL-2.0 */
/*
 * One file on its way to one TFTP client (RFC 1350, 2347, 2348, 2349, 7440), without a socket. The
 * owner asks what is wanted next and does it:
 *
 *   TFTP_WANT_SEND   send step.head and step.block as one datagram, ask again
 *   TFTP_WANT_BLOCK  get step.len bytes at step.offset of the file, call fill, ask again
 *   TFTP_WANT_RECV   wait: a packet -> input, deadline reached -> timeout, then ask again
 *   TFTP_WANT_CLOSE  it is over: tftp_session_end says how
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "lib/base/bytes.h"
#include "lib/base/rng.h"
#include "lib/base/usec.h"
#include "server/proto/tftp_packet.h"

enum tftp_want { TFTP_WANT_RECV, TFTP_WANT_BLOCK, TFTP_WANT_SEND, TFTP_WANT_CLOSE };

enum tftp_end {
	TFTP_END_NONE,        /* it goes on */
	TFTP_END_DONE,        /* the last block was acknowledged */
	TFTP_END_UNCONFIRMED, /* all was sent several times, the last ACK never came: no failure,
	                         RFC 1350 section 6 lets the client go first */
	TFTP_END_PROBED,      /* the client only wanted the OACK (tsize): OVMF's first read */
	TFTP_END_ABORTED,     /* the client sent an ERROR in the middle */
	TFTP_END_TIMED_OUT,   /* the client was silent for too long */
	TFTP_END_FAILED,      /* we could not go on: tftp_session_fail, a short block */
	_TFTP_END_MAX,
};

/* "done", "aborted" and so on. */
const char *tftp_end_to_name(int value);

/* What the server grants, whatever the client asks for. */
struct tftp_limits {
	uint32_t blksize_max;    /* bytes; the interface's MTU - 32 also counts */
	uint32_t windowsize_max; /* blocks; at most 32767, so that an old ACK is told from a new one
	                          */
	usec_t timeout;          /* first wait for an answer when the client names none */
	usec_t timeout_max; /* longest wait between two repetitions, unless the client's is longer
	                     */
	usec_t give_up;     /* silence after which the client is gone */
	usec_t dally;       /* the same when only ACKs of the end are missing */
};

/* Windows bring nothing more past about 64 blocks. 1 s is what clients use themselves. */
#define TFTP_LIMITS_DEFAULT                                                                        \
	((struct tftp_limits){ .blksize_max = TFTP_BLKSIZE_MAX,                                    \
	                       .windowsize_max = 64,                                               \
	                       .timeout = USEC_PER_SEC,                                            \
	                       .timeout_max = 8 * USEC_PER_SEC,                                    \
	                       .give_up = USEC_PER_MINUTE,                                         \
	                       .dally = 10 * USEC_PER_SEC })

/* Room for the largest packet but DATA: an OACK with each option, an ERROR with a message of ours.
 */
#define TFTP_SESSION_PACKET_MAX 192

struct tftp_session {
	struct tftp_limits limits;
	struct tftp_options agreed; /* what the OACK says */
	uint32_t blksize, windowsize;
	uint64_t size;     /* of the file */
	uint64_t n_blocks; /* size / blksize + 1: the last one is short, perhaps empty */

	enum { TFTP_STATE_OACK, TFTP_STATE_DATA, TFTP_STATE_OVER } state;
	enum tftp_end end;
	/* Blocks count from 1 and never wrap here; the wire shows their low 16 bits. */
	uint64_t acked;     /* all up to this one have arrived */
	uint64_t sent;      /* all up to this one are on their way since the last restart */
	uint64_t sent_max;  /* highest ever sent: `acked` never passes it */
	bool is_packet_due; /* the packet below is to be sent */
	bool is_block_filled;
	bool has_repeated;  /* a repeated ACK means nothing (more) in this window */
	bool is_doubled;    /* the client may get blocks of this window twice, and then acknowledges
	                       them twice: what it repeats in the next window means nothing */
	bool is_clean;      /* nothing was repeated since `acked` moved: round trips count */
	struct slice block; /* borrowed between fill and send */
	uint8_t packet[TFTP_SESSION_PACKET_MAX];
	size_t packet_len;

	struct rng rng;
	usec_t interval;    /* wait before the next repetition, without jitter */
	usec_t sent_at;     /* when the OACK or the first block of this window left */
	usec_t progress_at; /* when `acked` moved last, or the session began */
	usec_t deadline;
	usec_t round_trip_min;  /* shortest seen; USEC_INFINITY before the first */
	uint64_t n_retransmits; /* packets sent again */
};

/* What the owner is to do; which fields count depends on the want. Slices live until the next call.
 */
struct tftp_step {
	struct slice head, block; /* TFTP_WANT_SEND */
	uint64_t offset;          /* TFTP_WANT_BLOCK */
	uint32_t len;             /* TFTP_WANT_BLOCK: 0..blksize; 0 is asked for too */
};

/*
 * Begins a transfer of `size` bytes for a decoded RRQ in octet mode (other modes are the owner's to
 * refuse). mtu: of the way to the client, 0 when unknown; answered blksize is at most mtu - 32 (IP,
 * UDP and TFTP headers). rng seeds the session's own jitter.
 */
void tftp_session_init(struct tftp_session *session, const struct tftp_packet *request,
                       uint64_t size, uint32_t mtu, const struct tftp_limits *limits,
                       struct rng *rng, usec_t now);

/* What is wanted now. A packet it hands out for TFTP_WANT_SEND counts as sent at `now`. */
enum tftp_want tftp_session_next(struct tftp_session *session, usec_t now,
                                 struct tftp_step *ret_step);

/*
 * A packet of the client's. Returns 0 when it was understood and meant something, TFTP_IGNORED when
 * not: malformed, an ACK of something not in flight (an old one never starts a second stream of
 * blocks), a repeated ACK.
 */
enum { TFTP_IGNORED = 1 };
int tftp_session_input(struct tftp_session *session, struct slice raw, usec_t now);

/*
 * The bytes asked for by TFTP_WANT_BLOCK. Borrowed until that block was handed out by next.
 * Returns 0, or TFTP_IGNORED when no block was wanted. Another length than asked for ends the
 * transfer with an ERROR: the file has changed.
 */
int tftp_session_fill(struct tftp_session *session, struct slice block, usec_t now);

/*
 * Time has passed: repeats, or gives up. Before the deadline it does nothing.
 * Returns 0, or TFTP_IGNORED before the deadline.
 */
int tftp_session_timeout(struct tftp_session *session, usec_t now);

/* When timeout is to be called; USEC_INFINITY when it is over. */
usec_t tftp_session_deadline(const struct tftp_session *session);

/* We cannot go on: one ERROR packet, then the end. The message is cut to the room for it. */
void tftp_session_fail(struct tftp_session *session, enum tftp_error code, const char *message);

/*
 * The client's port is closed (ICMP port unreachable): nobody will answer any more. An abort,
 * unless only the last ACK is missing or nothing but the OACK was ever wanted.
 */
void tftp_session_gone(struct tftp_session *session);

/* How it ended; TFTP_END_NONE while it goes on. */
enum tftp_end tftp_session_end(const struct tftp_session *session);

/* Bytes the client has acknowledged. */
uint64_t tftp_session_bytes_acked(const struct tftp_session *session);

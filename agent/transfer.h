/* SPDX-License-Identifier: MulanPSL-2.0 */
/*
 * One file on its way to the server, as a pure machine: which request comes next, and what an
 * answer means. HEAD asks for the stored offset, PUT appends there (RFC 9110, 14.4 and 14.5:
 * Content-Range in a request that the server agreed to), until the last byte of a known size is
 * acknowledged. The server is right about the offset, always.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "lib/base/bytes.h"

enum transfer_want {
	TRANSFER_WANT_NOTHING, /* all that is there has been sent, more may come */
	TRANSFER_WANT_HEAD,    /* ask for the offset */
	TRANSFER_WANT_PUT,     /* send `len` bytes from `offset` */
	TRANSFER_WANT_CLOSE,   /* PUT without a body: the file is whole at `size` */
	TRANSFER_WANT_DONE,    /* the server has it */
	TRANSFER_WANT_LOST,    /* the server will not have it */
};

struct transfer {
	uint64_t size;   /* bytes of the file now; never shrinks */
	uint64_t offset; /* what the server has, as far as we know */
	uint64_t best;   /* the highest offset it ever acknowledged */
	bool is_final;   /* size is the last word */
	bool must_ask;   /* the offset is a guess: ask first */
	bool is_done, is_lost;
};

/* What to do next, sending at most max bytes at once. *ret_len is set for PUT. */
enum transfer_want transfer_next(const struct transfer *t, uint64_t max, uint64_t *ret_len);

/* An answer, or none. */
struct transfer_answer {
	unsigned status; /* 0: no answer came */
	bool has_offset; /* Upload-Offset */
	uint64_t offset;
	bool is_complete; /* Upload-Complete: 1 */
};

enum transfer_outcome {
	TRANSFER_GOOD = 0,   /* go on at once; something moved */
	TRANSFER_RETRY = 1,  /* wait, then go on */
	TRANSFER_FENCED = 2, /* this attempt may write nothing any more */
	TRANSFER_ENDED = 3,  /* done or lost: transfer_next says which */
	TRANSFER_ASKED = 4,  /* go on at once; but what failed before may fail again */
};

/*
 * Takes the answer to the request that transfer_next asked for (want, len; was_final: the size was
 * stated in it). Returns a transfer_outcome.
 */
int transfer_input(struct transfer *t, enum transfer_want want, uint64_t len, bool was_final,
                   const struct transfer_answer *answer);

/*
 * Writes the value of Content-Range for a PUT or CLOSE: `bytes A-B/TOTAL`, TOTAL `*` while the file
 * grows, or `bytes * /TOTAL` (without the space) to close.
 */
void transfer_content_range(struct bytes *to, const struct transfer *t, enum transfer_want want,
                            uint64_t len);

/* SPDX-License-Identifier: MulanPSL-2.0 */
#include "agent/transfer.h"

#include <inttypes.h>

#include "lib/base/macro.h"

enum transfer_want transfer_next(const struct transfer *t, uint64_t max, uint64_t *ret_len)
{
	if (t->is_done)
		return TRANSFER_WANT_DONE;
	if (t->is_lost)
		return TRANSFER_WANT_LOST;
	if (t->must_ask)
		return TRANSFER_WANT_HEAD;
	if (t->offset < t->size) {
		*ret_len = MIN(max, t->size - t->offset);
		return TRANSFER_WANT_PUT;
	}
	return t->is_final ? TRANSFER_WANT_CLOSE : TRANSFER_WANT_NOTHING;
}

static int lose(struct transfer *t)
{
	t->is_lost = true;
	return TRANSFER_ENDED;
}

/* The server names its offset: only one beyond all before is progress. A server that cannot store
 * (a full disk) answers this well for ever. */
static int take_offset(struct transfer *t, uint64_t offset)
{
	bool is_news = offset != t->offset || t->must_ask;

	if (offset > t->size)
		return lose(t); /* it has bytes that we never had */
	t->offset = offset;
	t->must_ask = false;
	if (offset > t->best) {
		t->best = offset;
		return TRANSFER_GOOD;
	}
	return is_news ? TRANSFER_ASKED : TRANSFER_RETRY;
}

/* Whether asking again later may help. */
static bool is_transient(unsigned status)
{
	return status < 400 || status >= 500 || status == 408 || status == 409 || status == 416 ||
	       status == 425 || status == 429;
}

static int input_head(struct transfer *t, const struct transfer_answer *answer)
{
	int q;

	if (answer->status == 404)
		return take_offset(t, 0);
	if (!is_transient(answer->status))
		return lose(t);
	if (answer->status != 200 && answer->status != 204)
		return TRANSFER_RETRY;
	q = take_offset(t, answer->has_offset ? answer->offset : 0);
	if (q == TRANSFER_ENDED || !answer->is_complete)
		return q;
	if (t->offset == t->size && t->is_final) {
		t->is_done = true;
		return TRANSFER_ENDED;
	}
	return t->offset < t->size ? lose(t) : q; /* closed with fewer bytes than we have */
}

static int input_put(struct transfer *t, uint64_t len, bool was_final,
                     const struct transfer_answer *answer)
{
	uint64_t reached = t->offset + len;

	/* a server may keep less than it was sent, and says so */
	if (answer->has_offset && answer->offset >= t->offset && answer->offset < reached) {
		bool stuck = answer->offset == t->offset;

		t->offset = answer->offset;
		t->best = MAX(t->best, t->offset);
		return stuck ? TRANSFER_RETRY : TRANSFER_GOOD;
	}
	t->offset = reached;
	t->best = MAX(t->best, reached);
	if (t->offset == t->size && was_final) {
		t->is_done = true;
		return TRANSFER_ENDED;
	}
	return TRANSFER_GOOD;
}

int transfer_input(struct transfer *t, enum transfer_want want, uint64_t len, bool was_final,
                   const struct transfer_answer *answer)
{
	unsigned status = answer->status;

	if (status == 401 || status == 410)
		return TRANSFER_FENCED;
	if (want == TRANSFER_WANT_HEAD)
		return input_head(t, answer);
	if (status >= 200 && status < 300)
		return input_put(t, len, was_final, answer);
	if (!is_transient(status))
		return lose(t);
	if (status == 409 && answer->has_offset) {
		int q = take_offset(t, answer->offset);

		if (q != TRANSFER_RETRY)
			return q;
	}
	t->must_ask = true; /* who knows how much of it arrived */
	return TRANSFER_RETRY;
}

void transfer_content_range(struct bytes *to, const struct transfer *t, enum transfer_want want,
                            uint64_t len)
{
	if (want == TRANSFER_WANT_CLOSE) {
		bytes_printf(to, "bytes */%" PRIu64, t->size);
		return;
	}
	bytes_printf(to, "bytes %" PRIu64 "-%" PRIu64 "/", t->offset, t->offset + len - 1);
	if (t->is_final)
		bytes_printf(to, "%" PRIu64, t->size);
	else
		bytes_append_text(to, "*");
}

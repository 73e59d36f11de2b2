/* SPDX-License-Identifier: MulanPSL-2.0 */
#include "initramfs/fetch.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "initramfs/digest.h"
#include "initramfs/fetch_http.h"
#include "initramfs/handover.h"
#include "initramfs/image_room.h"
#include "initramfs/notify.h"
#include "initramfs/paths.h"
#include "initramfs/tell.h"
#include "initramfs/tls_program.h"
#include "lib/base/text.h"
#include "lib/sys/clock.h"
#include "lib/sys/fd.h"
#include "lib/sys/random.h"

#define REDIRECTS_MAX  5
#define PATIENCE       (10 * USEC_PER_SEC) /* for one byte; cci.timeout may be less */
#define BACKOFF_FIRST  (250 * USEC_PER_MSEC)
#define BACKOFF_MAX    (8 * USEC_PER_SEC)
#define PROGRESS_EVERY (2 * USEC_PER_SEC)
#define EXTEND_EVERY   ((uint64_t)1 << 20) /* bytes for which the unit's time is extended ... */
#define EXTEND_BY      (30 * USEC_PER_SEC) /* ... by this: steady but slow is no failure */
#define HASH_TRIES     2

DEFINE_FREEP(struct digest, digest_free);

struct fetch {
	const struct plan *plan;
	struct digest *digest;
	struct http_stream stream;
	int fd;
	uint64_t have;        /* bytes that are written and hashed */
	uint64_t total;       /* how long it will be; 0: unknown */
	uint64_t room;        /* what fits where fd writes; 0: unknown */
	uint64_t extended_at; /* `have` when more time was asked for */
	char etag[256];       /* of the bytes we have */
	usec_t begin, last_byte, last_told;
	unsigned n_tries;  /* since the last byte */
	const char *cause; /* of the last try that failed */
};

/* How one try ended, besides -ECANCELED. */
enum { TRY_WHOLE = 0, TRY_AGAIN = 1 };

/* Forgets all bytes. The file will be another one, so that who follows it notices. */
static int start_over(struct fetch *f)
{
	if (f->fd >= 0 && ftruncate(f->fd, 0) < 0)
		return tell_failure(CAUSE_MEMORY, "cannot write %s: %s", CCI_IMG_FILE,
		                    strerror(errno));
	fd_close(&f->fd);
	f->have = f->total = f->room = f->extended_at = 0;
	f->etag[0] = '\0';
	digest_restart(f->digest);
	return 0;
}

static int no_digest(int error)
{
	return tell_failure(error == -ENOMEM ? CAUSE_MEMORY : CAUSE_HASH,
	                    "cannot compute a sha256: %s", strerror(-error));
}

static int wrong_size(const struct fetch *f, const char *what, uint64_t size)
{
	return tell_failure(CAUSE_SIZE, "%s %s%" PRIu64 " bytes long, not %" PRIu64, f->plan->url,
	                    what, size, f->plan->size);
}

/* 200: everything from the first byte. */
static int accept_whole(struct fetch *f)
{
	const struct http_head *head = &f->stream.reader.head;
	int r;

	if (f->have > 0) {
		tell("the server sends all of it again");
		r = start_over(f);
		if (r < 0)
			return r;
	}
	f->total = head->has_length ? head->length : f->plan->size;
	memcpy(f->etag, head->etag, sizeof(f->etag));
	return 0;
}

/* 206: must go on where we stopped, in the same file. */
static int accept_part(struct fetch *f)
{
	const struct http_head *head = &f->stream.reader.head;
	int r;

	if (head->has_range && head->range_first == f->have &&
	    (!head->has_total || f->total == 0 || head->range_total == f->total)) {
		if (head->has_total)
			f->total = head->range_total;
		return 0;
	}
	tell("the server answers with another part than asked for");
	r = start_over(f);
	return r < 0 ? r : TRY_AGAIN;
}

/* 404: an image that is being replaced is away for a moment only, so this is tried as often as the
 * plan says, without the patience that a network gets. */
static int not_found(const struct fetch *f)
{
	unsigned n_tries = f->n_tries + 1;

	if (n_tries > f->plan->retry)
		return tell_failure(CAUSE_STATUS,
		                    "%s: the server answers 404 (not found), tried %u time%s",
		                    f->plan->url, n_tries, n_tries == 1 ? "" : "s");
	tell("%s: the server answers 404 (not found), try %u of %u", f->plan->url, n_tries,
	     f->plan->retry + 1);
	return TRY_AGAIN;
}

/* What an answer means. Returns 0 (its body is to be read), TRY_AGAIN or -ECANCELED. */
static int accept_head(struct fetch *f)
{
	unsigned status = f->stream.reader.head.status;
	int r;

	switch (status) {
	case 200:
		r = accept_whole(f);
		break;
	case 206:
		r = accept_part(f);
		break;
	case 416: /* it has become shorter than what we have */
		r = start_over(f);
		return r < 0 ? r : TRY_AGAIN;
	case 404:
		return not_found(f);
	case 408:
	case 425:
	case 429:
	case 500:
	case 502:
	case 503:
	case 504:
		tell("%s: the server answers %u, for now", f->plan->url, status);
		f->cause = CAUSE_NETWORK;
		return TRY_AGAIN;
	default:
		return tell_failure(CAUSE_STATUS, "%s: the server answers %u", f->plan->url,
		                    status);
	}
	if (r != 0)
		return r;
	if (f->plan->size > 0 && f->total > 0 && f->total != f->plan->size)
		return wrong_size(f, "is ", f->total);
	if (f->fd >= 0 && f->total > 0 && f->total <= f->room)
		return 0;
	if (f->have > 0) /* the rest of what is there already */
		return 0;
	fd_close(&f->fd);
	f->fd = image_room_open(f->total);
	f->room = f->total;
	return f->fd < 0 ? f->fd : 0;
}

/* Goes on as the program that has TLS, from the start: there is nothing to lose yet. */
static int become_https(const char *url)
{
	int r = tls_program_become("fetch");

	if (r == -ENOENT)
		return tell_failure(CAUSE_REFUSED,
		                    "%s: this initramfs fetches by http only; build it with "
		                    "cci_https=yes",
		                    url);
	return tell_failure(CAUSE_REFUSED, "cannot run %s: %s", CCI_HTTPS_PROGRAM, strerror(-r));
}

/* Tells a failed try, in the words for its outcome. Returns TRY_AGAIN or -ECANCELED. */
static int tell_broken(struct fetch *f, int r, const char *url)
{
	char at[64] = "";

	if (f->have > 0)
		(void)snprintf(at, sizeof(at), " after %" PRIu64 " bytes", f->have);
	f->cause = r == HTTP_STREAM_TLS ? CAUSE_TLS : CAUSE_NETWORK;
	if (r == HTTP_STREAM_NO_TLS)
		return become_https(url);
	if (r == HTTP_STREAM_DISTRUST)
		return tell_failure(CAUSE_TLS, "%s: %s", url, f->stream.why);
	if (r == HTTP_STREAM_BAD)
		tell("%s: the server does not speak HTTP%s", url, at);
	else if (r == HTTP_STREAM_TLS)
		tell("%s: no TLS with this server: %s", url, f->stream.why);
	else if (r == HTTP_STREAM_NAME)
		tell("%s: the name of the server has no address", url);
	else
		tell("%s: %s%s: %s", url, f->stream.doing, at, strerror(-r));
	return TRY_AGAIN;
}

/* Replaces url[URL_TEXT_MAX] by where the answer sends us. Returns 0 or -ECANCELED. */
static int follow(struct fetch *f, const struct url *from, char *url)
{
	const struct http_head *head = &f->stream.reader.head;
	char next[URL_TEXT_MAX];
	struct bytes out = BYTES_ON(next);

	if (url_resolve(from, slice_from_text(head->location), &out) != 0 ||
	    out.len >= sizeof(next))
		return tell_failure(CAUSE_STATUS, "%s: the server answers %u without a place to go",
		                    f->plan->url, head->status);
	memcpy(url, next, out.len);
	url[out.len] = '\0';
	tell_debug("sent on to %s", url);
	return 0;
}

static bool is_redirect(unsigned status)
{
	return status == 301 || status == 302 || status == 303 || status == 307 || status == 308;
}

/* Asks, following redirects, up to a head that is an answer. */
static int ask(struct fetch *f)
{
	char url[URL_TEXT_MAX];
	int r;

	(void)snprintf(url, sizeof(url), "%s", f->plan->url);
	for (unsigned i = 0; i <= REDIRECTS_MAX; i++) {
		struct http_ask ask = { .method = "GET", .offset = f->have, .etag = f->etag };

		r = url_split(slice_from_text(url), &ask.url);
		if (r != 0)
			return tell_failure(CAUSE_STATUS, "%s: this is no URL of http or https",
			                    url);
		r = http_stream_open(&f->stream, &ask, usec_min(PATIENCE, f->plan->timeout));
		if (r != 0)
			return tell_broken(f, r, url);
		if (!is_redirect(f->stream.reader.head.status))
			return accept_head(f);
		http_stream_close(&f->stream);
		r = follow(f, &ask.url, url);
		if (r < 0)
			return r;
	}
	return tell_failure(CAUSE_STATUS, "%s: sent on more than %d times", f->plan->url,
	                    REDIRECTS_MAX);
}

static void tell_progress(struct fetch *f, usec_t now)
{
	double seconds = (double)usec_sub(now, f->begin) / USEC_PER_SEC;
	double megabytes = (double)f->have / 1e6;

	if (f->have - f->extended_at >= EXTEND_EVERY) {
		notify_extend(EXTEND_BY);
		f->extended_at = f->have;
	}
	if (usec_sub(now, f->last_told) < PROGRESS_EVERY)
		return;
	f->last_told = now;
	if (f->total > 0)
		tell("%3u%% of %.1f MB, %.1f MB/s", (unsigned)(f->have * 100 / f->total),
		     (double)f->total / 1e6, megabytes / seconds);
	else
		tell("%.1f MB, %.1f MB/s", megabytes, megabytes / seconds);
}

static int take_piece(struct fetch *f, struct slice piece)
{
	usec_t now = clock_now();
	int r;

	if (f->plan->size > 0 && piece.len > f->plan->size - f->have)
		return wrong_size(f, "is at least ", f->have + piece.len);
	r = fd_write_all(f->fd, piece.data, piece.len);
	if (r < 0)
		return tell_failure(CAUSE_MEMORY, "no room for %s after %" PRIu64 " bytes: %s",
		                    f->plan->url, f->have, strerror(-r));
	if (f->plan->sha256[0]) {
		r = digest_update(f->digest, piece.data, piece.len);
		if (r < 0)
			return no_digest(r);
	}
	f->have += piece.len;
	f->last_byte = now;
	f->n_tries = 0;
	tell_progress(f, now);
	return 0;
}

/* One connection. Returns TRY_WHOLE, TRY_AGAIN or -ECANCELED. */
static int try_once(struct fetch *f)
{
	struct slice piece;
	int r;

	r = ask(f);
	while (r == 0) {
		r = http_stream_read(&f->stream, &piece);
		if (r == 0)
			return TRY_WHOLE;
		if (r != HTTP_STREAM_BODY)
			return tell_broken(f, r == HTTP_STREAM_BAD ? -EPROTO : r, f->plan->url);
		r = take_piece(f, piece);
	}
	return r;
}

/* Waits before the next try: twice as long each time, and not as long as everybody else. */
static void back_off(const struct fetch *f)
{
	usec_t pause = BACKOFF_FIRST << MIN(f->n_tries, 10u);
	struct timespec time;
	uint16_t dice = 0;

	pause = usec_min(pause, BACKOFF_MAX);
	(void)random_bytes(&dice, sizeof(dice)); /* without: the pause is longer, that is all */
	pause -= pause / 4 * dice / UINT16_MAX;
	pause = usec_min(pause, f->plan->timeout);
	time.tv_sec = (time_t)(pause / USEC_PER_SEC);
	time.tv_nsec = (long)(pause % USEC_PER_SEC * 1000);
	(void)nanosleep(&time, NULL); /* woken early: tried early */
}

/* Until one answer has come whole. */
static int fetch_bytes(struct fetch *f)
{
	int r;

	for (;;) {
		r = try_once(f);
		http_stream_close(&f->stream);
		if (r != TRY_AGAIN)
			return r;
		if (f->n_tries >= f->plan->retry &&
		    usec_sub(clock_now(), f->last_byte) >= f->plan->timeout)
			return tell_failure(f->cause,
			                    "cannot fetch %s: no byte for %" PRIu64 " s, %" PRIu64
			                    " of %" PRIu64 " bytes are there",
			                    f->plan->url,
			                    (uint64_t)(f->plan->timeout / USEC_PER_SEC), f->have,
			                    f->total);
		back_off(f);
		f->n_tries++;
	}
}

/* Whole, but is it the right one? Returns 0, TRY_AGAIN (other bytes) or -ECANCELED. */
static int check(struct fetch *f, unsigned n_tries)
{
	char text[DIGEST_TEXT_SIZE];
	int r;

	if (f->plan->size > 0 && f->have != f->plan->size)
		return wrong_size(f, "is ", f->have);
	if (!f->plan->sha256[0])
		return 0;
	r = digest_end(f->digest, text);
	if (r < 0)
		return no_digest(r);
	if (strcmp(text, f->plan->sha256) == 0)
		return 0;
	if (n_tries < HASH_TRIES) {
		tell("%s has other bytes than it should; once more", f->plan->url);
		return TRY_AGAIN;
	}
	return tell_failure(CAUSE_HASH, "%s has sha256 %s, not %s", f->plan->url, text,
	                    f->plan->sha256);
}

static int fetch_checked(struct fetch *f)
{
	int r;

	for (unsigned i = 1;; i++) {
		r = fetch_bytes(f);
		if (r != 0)
			return r;
		r = check(f, i);
		if (r != TRY_AGAIN)
			return r;
		r = start_over(f);
		if (r < 0)
			return r;
	}
}

int fetch_image(const struct plan *plan)
{
	CLEANUP(digest_freep) struct digest *digest = NULL;
	CLEANUP(freep) struct fetch *f = NULL;
	double seconds;
	int r;

	f = calloc(1, sizeof(*f));
	if (!f || digest_new(&digest) < 0)
		return tell_failure(CAUSE_MEMORY, "no memory to fetch with");
	f->plan = plan;
	f->digest = digest;
	f->fd = f->stream.fd = -1;
	f->cause = CAUSE_NETWORK;
	f->begin = f->last_byte = f->last_told = clock_now();
	handover_resolver();
	tell_debug("fetching %s", plan->url);
	r = fetch_checked(f);
	fd_close(&f->fd);
	if (r < 0)
		return r;
	seconds = (double)MAX(usec_sub(clock_now(), f->begin), (usec_t)1) / USEC_PER_SEC;
	tell("%s: %.1f MB in %.2f s, %.1f MB/s%s", plan->url, (double)f->have / 1e6, seconds,
	     (double)f->have / 1e6 / seconds, plan->sha256[0] ? ", sha256 as it should be" : "");
	return 0;
}

/* SPDX-License-Identifier: MulanPSL-2.0 */
/*
 * files[0] is the log. While the job runs only the log moves; after spool_collect each file is
 * hashed, then transferred, in the order of the array.
 */
#include "agent/spool.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "agent/backoff.h"
#include "agent/collect.h"
#include "agent/digest.h"
#include "agent/result_name.h"
#include "agent/transfer.h"
#include "lib/base/log.h"
#include "lib/base/macro.h"
#include "lib/base/rng.h"
#include "lib/base/text.h"
#include "lib/base/usec.h"
#include "lib/sys/clock.h"
#include "lib/sys/fd.h"

#define CHUNK_LIVE    ((uint64_t)1 << 20) /* a burst of log in one request */
#define CHUNK_FILE    ((uint64_t)8 << 20) /* what a cut may cost */
#define HASH_PER_TURN ((uint64_t)4 << 20) /* then others have their turn */
#define INTERVAL_MS   1000
#define INTERVAL_MIN  50
#define RETRY_BASE    USEC_PER_SEC
#define RETRY_MAX     (30 * USEC_PER_SEC)
#define RETRY_LATER   (600 * USEC_PER_SEC) /* as far as a Retry-After is believed */

struct spool_file {
	char *path; /* below the result directory; NULL: the log */
	struct transfer transfer;
	struct message_file entry; /* name; size and sha256 once hashed */
	bool is_hashed;
};

struct spool {
	sd_event *event;
	sd_event_source *timer;
	struct client *client;
	struct spool_events events;
	void *userdata;
	char *upload;
	int log_fd;
	int result_fd; /* -1 until collected */
	struct spool_file *files;
	size_t n_files;
	size_t current; /* the one being hashed or transferred */
	int fd;         /* of the current file, unless it is the log; -1: not open */
	struct digest *digest;

	struct client_call *call;
	enum transfer_want want; /* of the call */
	uint64_t len;
	bool was_final;

	struct backoff backoff;
	struct rng rng;
	usec_t retry_at, log_at, interval;
	bool is_collected, is_stopped, is_told;
	struct message_file *manifest;
};

static void pump(struct spool *s);

/* ------------------------------------------------------------------------- files */

static struct spool_file *current(struct spool *s)
{
	return &s->files[s->current];
}

static bool has_ended(const struct spool_file *file)
{
	return file->transfer.is_done || file->transfer.is_lost;
}

static void close_current(struct spool *s)
{
	fd_close(&s->fd);
	digest_free(s->digest);
	s->digest = NULL;
}

/* The fd of the current file, or -errno. */
static int open_current(struct spool *s)
{
	const char *path = current(s)->path;

	if (!path)
		return s->log_fd;
	if (s->fd < 0)
		s->fd = openat(s->result_fd, path,
		               O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
	return s->fd < 0 ? -errno : s->fd;
}

static void lose_current(struct spool *s, const char *why)
{
	char name[4 * RESULT_NAME_MAX];

	log_warning("a result is lost file=\"%s\" reason=\"%s\"",
	            text_escape(name, sizeof(name), slice_from_text(current(s)->entry.name)), why);
	current(s)->transfer.is_lost = true;
}

/*
 * Hashes a part of the current file. Returns 1 while there is more, 0 when the file is hashed (or
 * lost). The size that was hashed is the size from here on.
 */
static int hash_current(struct spool *s, uint64_t max)
{
	struct spool_file *file = current(s);
	int fd = open_current(s), r = fd;

	if (!s->digest)
		s->digest = digest_new();
	if (r >= 0)
		r = s->digest ? digest_advance(s->digest, fd, file->transfer.size, max) : -ENOMEM;
	if (r > 0)
		return 1;
	file->is_hashed = true;
	if (r < 0) {
		lose_current(s, strerror(-r));
		return 0;
	}
	file->entry.size = digest_size(s->digest);
	digest_finish(s->digest, file->entry.sha256);
	digest_free(s->digest);
	s->digest = NULL;
	if (file->entry.size < file->transfer.offset) {
		lose_current(s, "it has shrunk");
		return 0;
	}
	file->transfer.size = file->entry.size;
	file->transfer.is_final = true;
	return 0;
}

/* ------------------------------------------------------------------------- requests */

static void arm(struct spool *s, usec_t at)
{
	(void)sd_event_source_set_time(s->timer, at);
	(void)sd_event_source_set_enabled(s->timer, SD_EVENT_ONESHOT);
}

static void wait_to_retry(struct spool *s, const struct client_reply *reply)
{
	usec_t wait = backoff_next(&s->backoff, &s->rng);

	wait = MAX(wait, usec_min(reply->retry_after_sec * USEC_PER_SEC, RETRY_LATER));
	s->retry_at = usec_add(clock_now(), wait);
	log_info("upload waits status=%u error=\"%s\" seconds=%.1f", reply->status,
	         reply->error ? reply->error : "", (double)wait / (double)USEC_PER_SEC);
}

static void on_reply(void *userdata, const struct client_reply *reply)
{
	struct spool *s = userdata;
	struct spool_file *file = current(s);
	const struct transfer_answer answer = {
		.status = reply->status,
		.has_offset = reply->has_offset,
		.offset = reply->offset,
		.is_complete = reply->is_complete,
	};
	char text[40];
	int q;

	s->call = NULL;
	if (reply->is_short) {
		lose_current(s, "it has shrunk");
		pump(s);
		return;
	}
	q = transfer_input(&file->transfer, s->want, s->len, s->was_final, &answer);
	if (q == TRANSFER_FENCED) {
		spool_stop(s);
		s->events.fenced(s->userdata);
		return;
	}
	if (q == TRANSFER_RETRY) {
		wait_to_retry(s, reply);
	} else {
		s->retry_at = 0;
		if (file->transfer.is_lost) {
			(void)snprintf(text, sizeof(text), "the server said %u", reply->status);
			lose_current(s, text);
		}
		if (q != TRANSFER_ASKED) {
			backoff_reset(&s->backoff);
			s->events.progressed(s->userdata);
		}
	}
	pump(s);
}

/* Sends what the transfer of the current file wants. */
static int send_request(struct spool *s, enum transfer_want want, uint64_t len)
{
	const struct spool_file *file = current(s);
	char url[ATTEMPT_VALUE_MAX + 3 * RESULT_NAME_MAX + 1] = "", range[100] = "";
	struct bytes url_bytes = { .data = (uint8_t *)url, .cap = sizeof(url) - 1 };
	struct bytes range_bytes = { .data = (uint8_t *)range, .cap = sizeof(range) - 1 };
	struct client_request request = { .method = "HEAD", .url = url, .fd = -1 };

	bytes_append_text(&url_bytes, s->upload);
	result_name_encode(&url_bytes, file->entry.name);
	s->want = want;
	s->len = want == TRANSFER_WANT_PUT ? len : 0;
	s->was_final = file->transfer.is_final;
	if (want != TRANSFER_WANT_HEAD) {
		transfer_content_range(&range_bytes, &file->transfer, want, s->len);
		request.method = "PUT";
		request.content_range = range;
		request.offset = file->transfer.offset;
		request.len = s->len;
		request.fd = open_current(s);
		if (request.fd < 0)
			return request.fd;
	}
	return client_send(s->client, &request, on_reply, s, &s->call);
}

/* What the current file wants next: true when that was done, false when there is nothing to do for
 * it now. */
static bool transfer_current(struct spool *s, usec_t now)
{
	struct spool_file *file = current(s);
	uint64_t len = 0;
	enum transfer_want want =
		transfer_next(&file->transfer, s->is_collected ? CHUNK_FILE : CHUNK_LIVE, &len);
	int r;

	switch (want) {
	case TRANSFER_WANT_NOTHING:
	case TRANSFER_WANT_DONE:
	case TRANSFER_WANT_LOST:
		return false;
	case TRANSFER_WANT_HEAD:
	case TRANSFER_WANT_PUT:
	case TRANSFER_WANT_CLOSE:
		break;
	}
	if (!s->is_collected && now < s->log_at) {
		arm(s, s->log_at);
		return true;
	}
	s->log_at = usec_add(now, s->interval);
	r = send_request(s, want, len);
	if (r == -ENOMEM) {
		s->retry_at = usec_add(now, USEC_PER_SEC);
		arm(s, s->retry_at);
	} else if (r < 0) {
		lose_current(s, strerror(-r));
		return false;
	}
	return true;
}

/* Moves on until a request is under way, a timer is set, or all is done. */
static void pump(struct spool *s)
{
	usec_t now = clock_now();

	if (s->call || s->is_stopped)
		return;
	if (now < s->retry_at) {
		arm(s, s->retry_at);
		return;
	}
	if (!s->is_collected) {
		(void)transfer_current(s, now);
		return;
	}
	for (; s->current < s->n_files; s->current++) {
		if (!has_ended(current(s)) && !current(s)->is_hashed &&
		    hash_current(s, HASH_PER_TURN) > 0) {
			arm(s, now); /* on with it in the next turn */
			return;
		}
		if (!has_ended(current(s)) && transfer_current(s, now))
			return;
		close_current(s);
	}
	s->current = 0;
	if (!s->is_told) {
		s->is_told = true;
		s->is_stopped = true;
		s->events.uploaded(s->userdata);
	}
}

static int on_timer(sd_event_source *source, uint64_t usec, void *userdata)
{
	pump(userdata);
	return 0;
}

/* ------------------------------------------------------------------------- public */

static int prepare(struct spool *s, const char *upload, const char *log_name)
{
	int r;

	s->upload = text_dup(slice_from_text(upload));
	s->files = calloc(1, sizeof(*s->files));
	if (!s->upload || !s->files)
		return -ENOMEM;
	s->n_files = 1;
	result_name_make(s->files[0].entry.name, slice_from_text(log_name), 0);
	r = sd_event_add_time(s->event, &s->timer, CLOCK_BOOTTIME, 0, 1, on_timer, s);
	if (r < 0)
		return r;
	return sd_event_source_set_enabled(s->timer, SD_EVENT_OFF);
}

int spool_new(sd_event *event, struct client *client, const struct spool_options *options,
              struct spool **ret)
{
	struct spool *s = calloc(1, sizeof(*s));
	int r;

	if (!s)
		return -ENOMEM;
	s->event = sd_event_ref(event);
	s->client = client;
	s->events = options->events;
	s->userdata = options->userdata;
	s->log_fd = options->log_fd;
	s->result_fd = s->fd = -1;
	s->backoff = (struct backoff){ .base = RETRY_BASE, .cap = RETRY_MAX };
	s->interval = INTERVAL_MS * USEC_PER_MSEC;
	rng_init(&s->rng, options->seed);
	r = prepare(s, options->upload, options->log_name);
	if (r < 0) {
		spool_free(s);
		return r;
	}
	*ret = s;
	return 0;
}

void spool_free(struct spool *s)
{
	if (!s)
		return;
	spool_stop(s);
	close_current(s);
	fd_close(&s->result_fd);
	for (size_t i = 0; i < s->n_files; i++)
		free(s->files[i].path);
	free(s->files);
	free(s->manifest);
	free(s->upload);
	sd_event_source_disable_unref(s->timer);
	sd_event_unref(s->event);
	free(s);
}

void spool_log_grew(struct spool *s, uint64_t size)
{
	struct transfer *t = &s->files[0].transfer;

	if (s->is_collected || size <= t->size)
		return;
	t->size = size;
	pump(s);
}

void spool_set_interval(struct spool *s, uint32_t ms)
{
	s->interval = MAX(ms, (uint32_t)INTERVAL_MIN) * USEC_PER_MSEC;
}

static int by_size(const void *a, const void *b)
{
	const struct collected_file *x = a, *y = b;

	if (x->size != y->size)
		return x->size < y->size ? -1 : 1;
	return strcmp(x->path, y->path);
}

static bool name_is_taken(const struct spool *s, const char *name)
{
	for (size_t i = 0; i < s->n_files; i++)
		if (strcmp(s->files[i].entry.name, name) == 0)
			return true;
	return false;
}

/* Adds what was found, except the log itself; takes the paths. */
static void add_files(struct spool *s, struct collected *c)
{
	struct stat log;
	bool has_log = fstat(s->log_fd, &log) == 0;

	for (size_t i = 0; i < c->n_files; i++) {
		struct collected_file *found = &c->files[i];
		struct spool_file *file = &s->files[s->n_files];

		if (has_log && found->device == log.st_dev && found->inode == log.st_ino)
			continue;
		*file = (struct spool_file){ .transfer = { .size = found->size } };
		for (unsigned n = 0;; n++) {
			result_name_make(file->entry.name, slice_from_text(found->path), n);
			if (!name_is_taken(s, file->entry.name))
				break;
		}
		file->path = steal_ptr(&found->path);
		s->n_files++;
	}
}

int spool_collect(struct spool *s, int result_fd)
{
	struct collected c;
	struct spool_file *more;
	int r;

	r = collect_files(result_fd, MESSAGE_FILES_MAX - 1, &c);
	if (c.n_left_out > 0)
		log_warning("results were left out files=%zu", c.n_left_out);
	if (c.n_files > 0)
		qsort(c.files, c.n_files, sizeof(*c.files), by_size);
	more = reallocarray(s->files, 1 + c.n_files, sizeof(*more));
	if (more) {
		s->files = more;
		add_files(s, &c);
	} else {
		r = -ENOMEM;
	}
	collected_deinit(&c);
	s->result_fd = fcntl(result_fd, F_DUPFD_CLOEXEC, 3);
	if (s->result_fd < 0)
		r = -errno;
	s->is_collected = true;
	s->retry_at = 0; /* whatever it was waiting for, try now */
	arm(s, 0);
	return r;
}

void spool_stop(struct spool *s)
{
	if (s->call)
		client_cancel(s->call);
	s->call = NULL;
	s->is_stopped = true;
	if (s->timer)
		(void)sd_event_source_set_enabled(s->timer, SD_EVENT_OFF);
}

int spool_manifest(struct spool *s, const struct message_file **ret, size_t *ret_n)
{
	size_t n = 0;

	free(s->manifest);
	s->manifest = calloc(s->n_files, sizeof(*s->manifest));
	if (!s->manifest)
		return -ENOMEM;
	close_current(s);
	for (s->current = 0; s->current < s->n_files; s->current++) {
		while (!current(s)->is_hashed && hash_current(s, UINT64_MAX) > 0)
			;
		close_current(s);
		if (current(s)->entry.sha256[0])
			s->manifest[n++] = current(s)->entry;
	}
	s->current = 0;
	*ret = s->manifest;
	*ret_n = n;
	return 0;
}

size_t spool_n_lost(const struct spool *s)
{
	size_t n = 0;

	for (size_t i = 0; i < s->n_files; i++)
		n += s->files[i].transfer.is_lost;
	return n;
}

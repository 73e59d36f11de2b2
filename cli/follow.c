/* SPDX-License-Identifier: MulanPSL-2.0 */
/*
 * Three lanes, each one request at a time: the events (a stream), the log (a stream), and the job
 * itself, asked whenever a stream ends and every CHECK_EVERY besides, because a stream may hang on
 * a dead connection. Only the job's own word ends the following; then what is left of the log is
 * fetched once more without following, and the events get EVENTS_GRACE to come to their end.
 */
#include "cli/follow.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include "cli/cci.h"
#include "cli/field.h"
#include "cli/retry.h"
#include "cli/sse.h"
#include "lib/base/macro.h"
#include "lib/base/text.h"
#include "lib/sys/clock.h"
#include "lib/sys/fd.h"
#include "lib/sys/random.h"

#define CHECK_EVERY  (15 * USEC_PER_SEC)
#define AGAIN_SOON   (500 * USEC_PER_MSEC) /* a stream that ended well before the job did */
#define EVENTS_GRACE (2 * USEC_PER_SEC)
#define NO_OUTPUT    404L /* of the log: there is none yet */

enum lane_kind { LANE_EVENTS, LANE_LOG, LANE_JOB, _LANE_MAX };

struct follow;

struct lane {
	struct follow *follow;
	enum lane_kind kind;
	struct transfer *transfer; /* NULL: nothing under way */
	usec_t due;                /* when to ask (again); USEC_INFINITY: not */
	struct client_call call;
	char *path;       /* owned; of the call */
	bool is_complete; /* the stream came to its end, and nothing was asked since */
};

struct follow {
	struct client *client;
	const struct follow_options *options;
	const struct follow_sink *sink;
	struct lane lanes[_LANE_MAX];
	struct retry retry;
	struct rng rng;
	struct sse sse;
	uint64_t offset; /* of the log: bytes given so far */
	int64_t attempt; /* whose log that is; 0: not known */
	json_t *job;     /* as it ended; NULL before */
	usec_t grace_end;
	bool is_known;   /* the server has been there */
	bool is_log_old; /* the log lane is at an attempt that is no more */
	bool is_lost;    /* it is away, and that was told */
	int signal_fd;
	struct client_answer answer; /* why it was refused or lost */
};

static void tell(struct follow *f, enum follow_news news, const char *detail)
{
	if (f->sink->on_news)
		f->sink->on_news(f->sink->context, news, detail);
}

/* Something came from the server. */
static void note_alive(struct follow *f)
{
	retry_alive(&f->retry, clock_now());
	if (f->is_lost)
		tell(f, FOLLOW_NEWS_BACK, "");
	f->is_lost = false;
	f->is_known = true;
}

static void lane_stop(struct lane *lane, usec_t due)
{
	transfer_free(lane->transfer);
	lane->transfer = NULL;
	lane->due = due;
}

/* A new attempt has a log of its own. Noted here, perhaps inside libcurl; done by renew_log. */
static void note_attempt(struct follow *f, const json_t *value)
{
	const char *text = json_string_value(value);
	uint64_t id = json_is_integer(value) ? (uint64_t)json_integer_value(value) : 0;

	if (text)
		(void)text_parse_u64(slice_from_text(text), INT64_MAX, &id);
	if (id == 0 || (int64_t)id <= f->attempt)
		return;
	f->is_log_old = f->attempt != 0 && f->sink->on_output;
	f->attempt = (int64_t)id;
}

/* Asks for the new attempt's log from its begin. What the old one's stream might still bring is
 * dropped, so that it does not count as a part of the new. */
static void renew_log(struct follow *f)
{
	if (!f->is_log_old)
		return;
	lane_stop(&f->lanes[LANE_LOG], clock_now());
	if (f->offset > 0)
		tell(f, FOLLOW_NEWS_RETRY, "");
	f->offset = 0;
	f->is_log_old = false;
}

static int on_events(void *context, struct slice bytes)
{
	struct follow *f = ((struct lane *)context)->follow;
	struct sse_event event;
	int q, r = 0;

	note_alive(f);
	while (r >= 0 && (q = sse_next(&f->sse, &bytes, &event)) != 0) {
		json_t *document;

		if (q != SSE_EVENT)
			return -EBADMSG;
		document = json_loadb((const char *)event.data.data, event.data.len, 0, NULL);
		if (f->options->job)
			note_attempt(f, json_object_get(document, "attempt"));
		if (f->sink->on_event && document)
			r = f->sink->on_event(f->sink->context, document);
		json_decref(document);
	}
	return r;
}

static int on_log(void *context, struct slice bytes)
{
	struct follow *f = ((struct lane *)context)->follow;

	note_alive(f);
	if (f->is_log_old)
		return 0;
	f->offset += bytes.len;
	return f->sink->on_output(f->sink->context, bytes);
}

/* Path and headers of the lane's next request. */
static int lane_prepare(struct lane *lane)
{
	struct follow *f = lane->follow;
	CLEANUP(freep) char *query = NULL;

	free(lane->path);
	lane->call = (struct client_call){ .context = lane };
	switch (lane->kind) {
	case LANE_EVENTS:
		sse_restart(&f->sse);
		lane->call.accept = "text/event-stream";
		lane->call.sink = on_events;
		lane->call.is_endless = true;
		lane->call.last_event_id = f->sse.last_id[0] ? f->sse.last_id : NULL;
		lane->path = f->options->job ? cci_job_path(f->options->job, "/events?follow=1")
		                             : strdup("/v1/events");
		break;
	case LANE_LOG:
		query = text_format("/log?%soffset=%llu", f->job ? "" : "follow=1&",
		                    (unsigned long long)f->offset);
		lane->call.accept = "text/plain";
		lane->call.sink = on_log;
		lane->call.is_endless = f->job == NULL;
		lane->path = query ? cci_job_path(f->options->job, query) : NULL;
		break;
	case LANE_JOB:
	case _LANE_MAX:
		lane->path = cci_job_path(f->options->job, "");
		break;
	}
	lane->call.path = lane->path;
	return lane->path ? 0 : -ENOMEM;
}

static int lane_start(struct lane *lane)
{
	int r = lane_prepare(lane);

	lane->due = USEC_INFINITY;
	lane->is_complete = false;
	return r < 0 ? r : transfer_start(lane->follow->client, &lane->call, &lane->transfer);
}

/* The job has ended: what is still to come is the end of the two streams. */
static void begin_end(struct follow *f, json_t *job)
{
	usec_t now = clock_now();

	f->job = job;
	f->grace_end = usec_add(now, EVENTS_GRACE);
	if (f->sink->on_output)
		lane_stop(&f->lanes[LANE_LOG], now);
	if (!f->lanes[LANE_EVENTS].is_complete && !f->lanes[LANE_EVENTS].transfer)
		f->lanes[LANE_EVENTS].due = now;
}

/* The job's own word: whether it has ended, and on which attempt it is. */
static int take_job(struct follow *f, const struct client_answer *answer)
{
	struct slice body = buffer_slice(&answer->body);
	json_t *job = json_loadb((const char *)body.data, body.len, 0, NULL);
	const json_t *attempts = json_object_get(job, "attempts");
	size_t n = json_array_size(attempts);

	if (n > 0)
		note_attempt(f, json_object_get(json_array_get(attempts, n - 1), "id"));
	if (job && exit_status_job_ended(job)) {
		begin_end(f, job);
		return 0;
	}
	json_decref(job);
	f->lanes[LANE_JOB].due = usec_add(clock_now(), CHECK_EVERY);
	return job ? 0 : -EBADMSG;
}

/* The server answered well, to the end of the answer. */
static int lane_done(struct lane *lane, const struct client_answer *answer)
{
	struct follow *f = lane->follow;
	usec_t now = clock_now();

	note_alive(f);
	if (lane->kind == LANE_JOB)
		return take_job(f, answer);
	lane->is_complete = true;
	if (f->job)
		return 0;
	/* either the job has ended, or the server is stopping */
	lane->due = usec_add(now, AGAIN_SOON);
	if (f->options->job && !f->lanes[LANE_JOB].transfer)
		f->lanes[LANE_JOB].due = now;
	return 0;
}

/* The server could not be asked, or broke off. Returns 0, or FOLLOW_LOST. */
static int lane_failed(struct lane *lane, struct client_answer *answer)
{
	struct follow *f = lane->follow;
	usec_t now = clock_now(), due = USEC_INFINITY;

	if (!f->is_lost)
		retry_alive(&f->retry, now); /* a quiet stream is no sign of absence */
	if (answer->status != 0)
		f->is_known = true;
	if (answer->reason[0] == '\0')
		(void)snprintf(answer->reason, sizeof(answer->reason), "HTTP %ld", answer->status);
	if (f->is_known)
		due = retry_failed(&f->retry, &f->rng, now);
	if (due == USEC_INFINITY) {
		f->answer = *answer; /* takes the body */
		*answer = CLIENT_ANSWER_NULL;
		return FOLLOW_LOST;
	}
	if (!f->is_lost)
		tell(f, FOLLOW_NEWS_LOST, answer->reason);
	f->is_lost = true;
	lane->due = due;
	if (lane->kind != LANE_JOB)
		return 0;
	/* the others may hang on a connection that is dead without a sign */
	for (size_t i = 0; i < _LANE_MAX; i++)
		if (f->lanes[i].transfer && f->lanes[i].transfer != lane->transfer)
			lane_stop(&f->lanes[i], due);
	return 0;
}

/* Whether an answer means that asking again cannot help. */
static bool is_final(long status)
{
	return status >= 300 && status < 500 && status != 408 && status != 429;
}

/* What a transfer's end means. Returns 0 to go on, a FOLLOW_ outcome, or -errno. */
static int lane_ended(struct lane *lane, int outcome)
{
	struct follow *f = lane->follow;
	struct client_answer *answer = transfer_answer(lane->transfer);
	int q;

	if (outcome < 0) {
		q = outcome;
	} else if (outcome == CLIENT_DONE && answer->status >= 200 && answer->status < 300) {
		q = lane_done(lane, answer);
	} else if (outcome == CLIENT_DONE && lane->kind == LANE_LOG &&
	           answer->status == NO_OUTPUT) {
		lane->is_complete = f->job != NULL;
		lane->due = f->job ? USEC_INFINITY : usec_add(clock_now(), AGAIN_SOON);
		q = 0;
	} else if (outcome == CLIENT_DONE && is_final(answer->status)) {
		f->answer = *answer; /* takes the body */
		*answer = CLIENT_ANSWER_NULL;
		q = FOLLOW_REFUSED;
	} else {
		q = lane_failed(lane, answer);
	}
	lane_stop(lane, lane->due);
	return q;
}

static struct lane *lane_of(struct follow *f, const struct transfer *t)
{
	for (size_t i = 0; i < _LANE_MAX; i++)
		if (f->lanes[i].transfer == t)
			return &f->lanes[i];
	return NULL;
}

/* Whether everything that can still come has come. */
static bool is_over(const struct follow *f, usec_t now)
{
	if (!f->job)
		return false;
	if (f->sink->on_output && !f->lanes[LANE_LOG].is_complete)
		return false;
	return f->lanes[LANE_EVENTS].is_complete || now >= f->grace_end;
}

/* Starts what is due. *ret_wait_ms: until the next thing is. */
static int start_due(struct follow *f, usec_t now, int *ret_wait_ms)
{
	usec_t next = f->job ? f->grace_end : USEC_INFINITY;
	int64_t wait_ms;
	int r;

	for (size_t i = 0; i < _LANE_MAX; i++) {
		struct lane *lane = &f->lanes[i];

		if (!lane->transfer && lane->due <= now) {
			r = lane_start(lane);
			if (r < 0)
				return r;
		}
		next = usec_min(next, lane->due);
	}
	wait_ms = usec_to_wait_ms(now, next);
	*ret_wait_ms = wait_ms < 0 || wait_ms > 60000 ? 60000 : (int)wait_ms;
	return 0;
}

/* An event stream may stay silent for long: that the server took the request is news enough. */
static void look_for_life(struct follow *f)
{
	for (size_t i = 0; i < _LANE_MAX && f->is_lost; i++)
		if (f->lanes[i].transfer && transfer_status(f->lanes[i].transfer) == 200)
			note_alive(f);
}

static bool is_interrupted(const struct follow *f)
{
	struct signalfd_siginfo info;

	return read(f->signal_fd, &info, sizeof(info)) == (ssize_t)sizeof(info);
}

static int run(struct follow *f)
{
	int wait_ms, outcome = 0, q;
	struct transfer *t;
	struct lane *lane;
	bool is_stopped;

	for (;;) {
		q = start_due(f, clock_now(), &wait_ms);
		if (q < 0)
			return q;
		q = client_step(f->client, f->signal_fd, wait_ms);
		if (q < 0)
			return q;
		look_for_life(f);
		renew_log(f);
		while ((t = client_ended(f->client, &outcome)) != NULL) {
			lane = lane_of(f, t);
			assert(lane); /* only lanes begin transfers */
			q = lane_ended(lane, outcome);
			if (q != 0)
				return q;
			renew_log(f);
		}
		is_stopped = is_interrupted(f);
		/* who is impatient need not wait for the last events */
		if (is_over(f, is_stopped ? USEC_INFINITY : clock_now()))
			return FOLLOW_ENDED;
		if (is_stopped)
			return FOLLOW_INTERRUPTED;
	}
}

/* SIGINT as a descriptor; *ret_old is what the mask was. */
static int take_interrupt(struct follow *f, sigset_t *ret_old)
{
	sigset_t set;

	(void)sigemptyset(&set);
	(void)sigaddset(&set, SIGINT);
	f->signal_fd = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
	if (f->signal_fd < 0)
		return -errno;
	return sigprocmask(SIG_BLOCK, &set, ret_old) < 0 ? -errno : 0;
}

static int prepare(struct follow *f)
{
	usec_t now = clock_now();
	uint64_t seed = 0;
	int r = random_bytes(&seed, sizeof(seed));

	if (r < 0)
		return r;
	rng_init(&f->rng, seed);
	retry_init(&f->retry, f->options->patience, now);
	sse_init(&f->sse);
	if (f->options->last_id)
		(void)text_copy(f->sse.last_id, sizeof(f->sse.last_id),
		                slice_from_text(f->options->last_id));
	for (size_t i = 0; i < _LANE_MAX; i++) {
		f->lanes[i].follow = f;
		f->lanes[i].kind = (enum lane_kind)i;
		f->lanes[i].due = USEC_INFINITY;
	}
	f->lanes[LANE_EVENTS].due = now;
	if (f->options->job)
		f->lanes[LANE_JOB].due = now;
	if (f->options->job && f->sink->on_output)
		f->lanes[LANE_LOG].due = now;
	return 0;
}

int follow(struct client *client, const struct follow_options *options,
           const struct follow_sink *sink, json_t **ret_job, struct client_answer *ret_answer)
{
	struct follow f = { .client = client,
		            .options = options,
		            .sink = sink,
		            .is_known = options->is_known,
		            .signal_fd = -1 };
	sigset_t old;
	int q;

	*ret_answer = CLIENT_ANSWER_NULL;
	q = take_interrupt(&f, &old);
	if (q < 0) {
		fd_close(&f.signal_fd);
		return q;
	}
	q = prepare(&f);
	if (q == 0)
		q = run(&f);
	for (size_t i = 0; i < _LANE_MAX; i++) {
		transfer_free(f.lanes[i].transfer);
		free(f.lanes[i].path);
	}
	sse_deinit(&f.sse);
	fd_close(&f.signal_fd);
	(void)sigprocmask(SIG_SETMASK, &old, NULL);
	if (q == FOLLOW_ENDED)
		*ret_job = f.job;
	else
		json_decref(f.job);
	*ret_answer = f.answer;
	return q;
}

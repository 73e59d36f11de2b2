/* SPDX-License-Identifier: MulanPSL-2.0 */
/*
 * Answers that grow: events and the log of a job.
 */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "lib/base/macro.h"
#include "lib/base/text.h"
#include "lib/sys/fd.h"
#include "lib/sys/file.h"
#include "server/service/api_routes.h"
#include "server/service/job_bundle.h"
#include "server/store/event_store.h"
#include "server/store/job_store.h"

#define EVENTS_PAGE 64
#define EVENTS_MAX  10000 /* in one answer that does not follow */
#define LOG_PIECE   65536

static bool wants_stream(const struct api_request *rq)
{
	const struct slice accept = rq->call->accept;
	const char *type = "text/event-stream";

	return accept.len > 0 && memmem(accept.data, accept.len, type, strlen(type)) != NULL;
}

static bool wants_follow(const struct api_request *rq)
{
	return api_query_u64(rq, "follow", 1, 0) == 1;
}

/* Where to begin: Last-Event-ID, else ?after=, else `fallback`. */
static int64_t after_event(const struct api_request *rq, int64_t fallback)
{
	uint64_t id;

	if (text_parse_u64(text_trim(rq->call->last_event_id), INT64_MAX, &id) == 0)
		return (int64_t)id;
	return (int64_t)api_query_u64(rq, "after", INT64_MAX, (uint64_t)fallback);
}

static int append_events(struct services *s, json_t *list, int64_t job, int64_t *after)
{
	CLEANUP(freep) struct event *events = calloc(EVENTS_PAGE, sizeof(*events));
	int n;

	if (!events)
		return -ENOMEM;
	n = event_store_list(s->db, job, *after, events, EVENTS_PAGE);
	for (int i = 0; i < n; i++) {
		*after = events[i].id;
		if (json_array_append_new(list, api_event_json(s, &events[i])) < 0)
			return -ENOMEM;
	}
	return n;
}

static int send_events(struct api_request *rq, int64_t job)
{
	json_t *list = json_array();
	int64_t after = after_event(rq, 0);
	int n;

	do
		n = list ? append_events(rq->s, list, job, &after) : -ENOMEM;
	while (n == EVENTS_PAGE && json_array_size(list) < EVENTS_MAX);
	if (n < 0) {
		json_decref(list);
		return n;
	}
	return api_send_json(rq, 200, json_pack("{s:o}", "events", list));
}

static int follow_events(struct api_request *rq, int64_t job, int64_t after)
{
	rq->answer->want = API_FOLLOW;
	rq->answer->status = 200;
	rq->answer->content_type = "text/event-stream";
	rq->answer->follow = (struct api_follow){
		.kind = API_FOLLOW_EVENTS,
		.job = job,
		.after = after,
		.is_sse = true,
	};
	return 0;
}

int api_jobs_events(struct api_request *rq)
{
	struct job_record job;
	int r = api_find_job(rq, rq->args.arg[0], &job);

	if (r != 0)
		return r < 0 ? r : 0;
	if (wants_follow(rq) || wants_stream(rq))
		return follow_events(rq, job.id, after_event(rq, 0));
	return send_events(rq, job.id);
}

/* Of everybody: without a place to begin at, what happens from now on. */
int api_events(struct api_request *rq)
{
	int64_t last = 0;
	int r;

	if (!wants_follow(rq) && !wants_stream(rq))
		return send_events(rq, 0);
	r = event_store_last(rq->s->db, &last);
	return r < 0 ? r : follow_events(rq, 0, after_event(rq, last));
}

/* Opens the output of a job as far as it has come: whole, or still growing. -ENOENT: none yet. */
static int open_log(struct services *s, const struct job_record *job)
{
	static const char *const names[] = { "output", ".output.part" };
	CLEANUP(fd_closep) int dir = job_bundle_open_results(s, job);
	int fd = -ENOENT;

	if (dir < 0)
		return dir;
	for (size_t i = 0; i < ARRAY_SIZE(names) && fd == -ENOENT; i++)
		fd = file_open_beneath(dir, names[i], O_RDONLY | O_NOFOLLOW, 0);
	return fd;
}

int api_jobs_log(struct api_request *rq)
{
	CLEANUP(fd_closep) int fd = -1;
	struct job_record job;
	int r = api_find_job(rq, rq->args.arg[0], &job);

	if (r == 0)
		r = api_results_gone(rq, &job);
	if (r != 0)
		return MIN(r, 0);
	fd = open_log(rq->s, &job);
	if (fd < 0 && fd != -ENOENT)
		return fd;
	if (fd == -ENOENT && (!wants_follow(rq) || job_state_is_final((int)job.state)))
		return api_problem(rq, 404, NULL, "there is no output yet");
	rq->answer->want = API_FOLLOW;
	rq->answer->status = 200;
	rq->answer->content_type = "text/plain; charset=utf-8";
	rq->answer->follow = (struct api_follow){
		.kind = API_FOLLOW_LOG,
		.job = job.id,
		.after = (int64_t)api_query_u64(rq, "offset", INT64_MAX, 0),
		.is_once = !wants_follow(rq),
	};
	return 0;
}

static int append_sse(struct services *s, const struct event *event, bool is_sse,
                      struct buffer *out)
{
	json_t *doc = api_event_json(s, event);
	char *text = doc ? json_dumps(doc, JSON_COMPACT) : NULL;

	json_decref(doc);
	if (!text)
		return -ENOMEM;
	if (is_sse)
		buffer_printf(out, "id: %" PRId64 "\nevent: %s\ndata: %s\n\n", event->id,
		              event_kind_to_name((int)event->kind), text);
	else
		buffer_printf(out, "%s\n", text);
	free(text);
	return buffer_error(out);
}

/* Whether a job has ended; one that is not there has, too. 1, 0 or -errno. */
static int has_ended(struct services *s, int64_t id)
{
	struct job_record job;
	int r = job_store_find(s->db, id, &job);

	if (r != 0)
		return r < 0 ? r : 1;
	return job_state_is_final((int)job.state);
}

static int next_events(struct services *s, struct api_follow *cursor, struct buffer *out)
{
	CLEANUP(freep) struct event *events = calloc(EVENTS_PAGE, sizeof(*events));
	int ended = 0, n, r = 0;

	if (!events)
		return -ENOMEM;
	if (cursor->job) {
		ended = has_ended(s, cursor->job); /* asked first: no event comes behind it */
		if (ended < 0)
			return ended;
	}
	n = event_store_list(s->db, cursor->job, cursor->after, events, EVENTS_PAGE);
	for (int i = 0; i < n && r == 0; i++) {
		r = append_sse(s, &events[i], cursor->is_sse, out);
		cursor->after = events[i].id;
	}
	if (n < 0 || r < 0)
		return n < 0 ? n : r;
	if (n == EVENTS_PAGE)
		return API_FOLLOW_MORE;
	return ended ? API_FOLLOW_END : API_FOLLOW_WAIT;
}

/* A further attempt begins its output anew: what was sent before stays, a line parts the two. */
static int64_t begin_anew(struct api_follow *cursor, int64_t size, struct buffer *out)
{
	if (cursor->after <= size)
		return cursor->after;
	if (cursor->is_once)
		return size;
	buffer_append_text(out, "\n-- the job has begun again --\n");
	return 0;
}

static int next_log(struct services *s, struct api_follow *cursor, struct buffer *out)
{
	CLEANUP(freep) char *piece = malloc(LOG_PIECE);
	CLEANUP(fd_closep) int fd = -1;
	struct job_record job;
	struct stat st;
	ssize_t n;
	int r = job_store_find(s->db, cursor->job, &job);

	if (r != 0 || !piece)
		return r < 0 ? r : (r > 0 ? API_FOLLOW_END : -ENOMEM);
	fd = open_log(s, &job);
	if (fd == -ENOENT)
		return job_state_is_final((int)job.state) || cursor->is_once ? API_FOLLOW_END
		                                                             : API_FOLLOW_WAIT;
	if (fd < 0 || fstat(fd, &st) < 0)
		return fd < 0 ? fd : -errno;
	cursor->after = begin_anew(cursor, st.st_size, out);
	n = fd_pread_all(fd, piece, LOG_PIECE, cursor->after);
	if (n < 0)
		return (int)n;
	buffer_append(out, piece, (size_t)n);
	cursor->after += n;
	if (buffer_error(out) < 0)
		return -ENOMEM;
	if (n == LOG_PIECE)
		return API_FOLLOW_MORE;
	return job_state_is_final((int)job.state) || cursor->is_once ? API_FOLLOW_END
	                                                             : API_FOLLOW_WAIT;
}

int api_follow_next(struct api *api, struct api_follow *cursor, struct buffer *out)
{
	if (cursor->kind == API_FOLLOW_LOG)
		return next_log(api->services, cursor, out);
	return next_events(api->services, cursor, out);
}

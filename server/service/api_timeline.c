/* SPDX-License-Identifier: MulanPSL-2.0 */
/*
 * /v1/jobs/ID/timeline: the boot of a job's newest attempt as stages.
 */
#include <errno.h>
#include <stdlib.h>

#include "lib/base/macro.h"
#include "server/core/timeline.h"
#include "server/service/api_routes.h"
#include "server/store/attempt_store.h"
#include "server/store/event_store.h"

/* Events of one boot: its firmware's DHCP, some dozens of files, the stages. */
#define EVENTS_MAX 1024

/* How long before the offer a boot may have begun: idle machines wait, but they ask again. */
#define BEFORE_OFFER (24 * 60 * USEC_PER_MINUTE)

static json_t *span_json(const struct timeline_span *span)
{
	const struct event *event = span->to ? span->to : span->from;
	json_t *fields = json_loads(event->fields, 0, NULL);

	return json_pack("{s:s, s:I, s:o, s:o}", "stage", span->stage, "start_ms",
	                 (json_int_t)(span->start / USEC_PER_MSEC), "end_ms",
	                 span->to ? json_integer((json_int_t)(span->end / USEC_PER_MSEC))
	                          : json_null(),
	                 "fields", fields ? fields : json_object());
}

static int send_timeline(struct api_request *rq, const struct timeline *line)
{
	json_t *list = json_array();

	for (size_t i = 0; i < line->n_spans; i++)
		if (json_array_append_new(list, span_json(&line->spans[i])) < 0) {
			json_decref(list);
			return -ENOMEM;
		}
	return api_send_json(rq, 200,
	                     json_pack("{s:o, s:o}", "boot", list, "begun",
	                               api_time_json(line->origin_wall, true)));
}

/* The events of the attempt's machine, of its last EVENTS_MAX up to the attempt's end. */
static int list_events(struct api_request *rq, const struct attempt *attempt, struct event *events)
{
	const struct event_window window = {
		.mac = attempt->mac,
		.from_wall = usec_sub(attempt->offered_wall, BEFORE_OFFER),
		.to_wall = attempt->ended_wall ? attempt->ended_wall : UINT64_MAX >> 1,
	};

	return event_store_list_machine(rq->s->db, &window, events, EVENTS_MAX);
}

int api_jobs_timeline(struct api_request *rq)
{
	CLEANUP(freep) struct event *events = calloc(EVENTS_MAX, sizeof(*events));
	CLEANUP(freep) struct timeline *line = calloc(1, sizeof(*line));
	struct attempt attempt;
	struct job_record job;
	size_t from;
	int n, r = api_find_job(rq, rq->args.arg[0], &job);

	if (r != 0 || !events || !line)
		return r < 0 ? r : (r > 0 ? 0 : -ENOMEM);
	r = attempt_store_find_last(rq->s->db, job.id, &attempt);
	if (r < 0)
		return r;
	if (r > 0)
		return send_timeline(rq, line);
	n = list_events(rq, &attempt, events);
	if (n < 0)
		return n;
	from = timeline_boot_start(events, (size_t)n, attempt.id);
	timeline_order(events + from, (size_t)n - from);
	timeline_compute(events + from, (size_t)n - from, line);
	return send_timeline(rq, line);
}

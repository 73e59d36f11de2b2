/* SPDX-License-Identifier: MulanPSL-2.0 */
/*
 * Events opened and closed against a table of stages.
 */
#include "server/core/timeline.h"

#include <jansson.h>
#include <stdio.h>
#include <string.h>

#include "lib/base/macro.h"

/*
 * A stage lasts from an event of kind `opens` to the next one of a kind in `closes` (the last of
 * which is repeated where a stage has fewer).
 */
struct stage {
	const char *name;
	enum event_kind opens;
	enum event_kind closes[3];
	bool restarts;      /* a further opener moves the start; else the first one counts */
	bool by_file;       /* opener and closer must name the same file; several may be open */
	const char *unless; /* not opened while a span of that stage is open */
};

#define ONE(a)                                                                                     \
	{                                                                                          \
		EVENT_##a, EVENT_##a, EVENT_##a                                                    \
	}
#define TWO(a, b)                                                                                  \
	{                                                                                          \
		EVENT_##a, EVENT_##b, EVENT_##b                                                    \
	}
#define THREE(a, b, c)                                                                             \
	{                                                                                          \
		EVENT_##a, EVENT_##b, EVENT_##c                                                    \
	}

static const struct stage stages[] = {
	{ "dhcp", EVENT_DHCP_DISCOVER, TWO(DHCP_ACK, IPXE_DHCP), false, false },
	{ "tftp", EVENT_TFTP_START, ONE(TFTP_DONE), false, true },
	/* what iPXE itself fetches (boot.ipxe) is no loader that runs */
	{ "loader", EVENT_TFTP_DONE, TWO(IPXE_DHCP, BOOT_REQUEST), true, false, .unless = "ipxe" },
	{ "ipxe", EVENT_IPXE_DHCP, ONE(BOOT_REQUEST), false, false },
	{ "wait", EVENT_BOOT_REQUEST, ONE(BOOT_OFFER), false, false },
	{ "file", EVENT_FILE_START, ONE(FILE_DONE), false, true },
	/* what the initramfs fetches is no kernel that runs */
	{ "kernel", EVENT_FILE_DONE, TWO(INITRAMFS_START, AGENT_HELLO), true, false,
	  .unless = "initramfs" },
	{ "initramfs", EVENT_INITRAMFS_START, TWO(INITRAMFS_SWITCH, AGENT_HELLO), false, false },
	{ "root", EVENT_INITRAMFS_START, TWO(INITRAMFS_ROOT, AGENT_HELLO), false, false },
	{ "overlay", EVENT_INITRAMFS_ROOT, THREE(INITRAMFS_OVERLAY, INITRAMFS_SWITCH, AGENT_HELLO),
	  false, false },
	{ "deploy", EVENT_INITRAMFS_OVERLAY, TWO(INITRAMFS_SWITCH, AGENT_HELLO), false, false },
	{ "start", EVENT_INITRAMFS_SWITCH, ONE(AGENT_HELLO), false, false },
	{ "setup", EVENT_AGENT_HELLO, TWO(JOB_RUNNING, JOB_FINISHED), false, false },
	{ "run", EVENT_JOB_RUNNING, THREE(JOB_POST, UPLOAD_START, JOB_FINISHED), false, false },
	{ "post", EVENT_JOB_POST, TWO(UPLOAD_START, JOB_FINISHED), false, false },
	{ "upload", EVENT_UPLOAD_START, TWO(JOB_FINISHED, HOST_REBOOT), false, false },
};

/* Spans still open, beside the result: which stage each has. */
struct open_span {
	size_t span;
	const struct stage *stage;
	bool is_closed;
};

struct drawing {
	struct timeline *line;
	struct open_span open[TIMELINE_SPANS_MAX];
	usec_t origin;
};

static bool same_file(const struct event *a, const struct event *b)
{
	json_t *x = json_loads(a->fields, 0, NULL), *y = json_loads(b->fields, 0, NULL);
	const char *file_x = json_string_value(json_object_get(x, "file"));
	const char *file_y = json_string_value(json_object_get(y, "file"));
	bool same = file_x && file_y && strcmp(file_x, file_y) == 0;

	json_decref(x);
	json_decref(y);
	return same;
}

static struct open_span *find_open(struct drawing *d, const struct stage *stage,
                                   const struct event *event)
{
	for (size_t i = d->line->n_spans; i-- > 0;) {
		struct open_span *open = &d->open[i];

		if (open->is_closed || open->stage != stage)
			continue;
		if (stage->by_file && !same_file(d->line->spans[i].from, event))
			continue;
		return open;
	}
	return NULL;
}

static bool is_open(const struct drawing *d, const char *stage)
{
	for (size_t i = 0; i < d->line->n_spans; i++)
		if (!d->open[i].is_closed && strcmp(d->open[i].stage->name, stage) == 0)
			return true;
	return false;
}

static void open_stage(struct drawing *d, const struct stage *stage, const struct event *event)
{
	struct open_span *open = find_open(d, stage, event);
	struct timeline_span *span;

	if (open && !stage->restarts)
		return;
	if (stage->unless && is_open(d, stage->unless))
		return;
	if (!open && d->line->n_spans == TIMELINE_SPANS_MAX)
		return;
	if (!open) {
		open = &d->open[d->line->n_spans];
		*open = (struct open_span){ .span = d->line->n_spans++, .stage = stage };
	}
	span = &d->line->spans[open->span];
	*span = (struct timeline_span){ .start = usec_sub(event->mono, d->origin), .from = event };
	(void)snprintf(span->stage, sizeof(span->stage), "%s", stage->name);
}

static void close_stage(struct drawing *d, const struct stage *stage, const struct event *event)
{
	struct open_span *open = find_open(d, stage, event);

	if (!open)
		return;
	open->is_closed = true;
	d->line->spans[open->span].to = event;
	d->line->spans[open->span].end = usec_sub(event->mono, d->origin);
}

static void draw_event(struct drawing *d, const struct event *event)
{
	for (size_t i = 0; i < ARRAY_SIZE(stages); i++)
		for (size_t k = 0; k < ARRAY_SIZE(stages[i].closes); k++)
			if (event->kind == stages[i].closes[k])
				close_stage(d, &stages[i], event);
	for (size_t i = 0; i < ARRAY_SIZE(stages); i++)
		if (event->kind == stages[i].opens)
			open_stage(d, &stages[i], event);
}

/* Insertion sort: spans opened late by a restart stand where they start now. */
static void sort_spans(struct timeline *line)
{
	for (size_t i = 1; i < line->n_spans; i++) {
		struct timeline_span span = line->spans[i];
		size_t k = i;

		for (; k > 0 && line->spans[k - 1].start > span.start; k--)
			line->spans[k] = line->spans[k - 1];
		line->spans[k] = span;
	}
}

void timeline_compute(const struct event *events, size_t n, struct timeline *ret)
{
	struct drawing d = { .line = ret };

	*ret = (struct timeline){ .n_spans = 0 };
	if (n == 0)
		return;
	ret->origin_wall = events[0].wall;
	d.origin = events[0].mono;
	for (size_t i = 0; i < n; i++)
		draw_event(&d, &events[i]);
	for (size_t i = 0; i < ret->n_spans; i++)
		if (!ret->spans[i].to)
			ret->spans[i].end = usec_sub(events[n - 1].mono, d.origin);
	sort_spans(ret);
}

static bool is_initramfs(enum event_kind kind)
{
	return kind >= EVENT_INITRAMFS_START && kind <= EVENT_INITRAMFS_SWITCH;
}

void timeline_order(struct event *events, size_t n)
{
	for (size_t i = 1; i < n; i++) {
		struct event event = events[i];
		size_t k = i;

		if (!is_initramfs(event.kind))
			continue;
		for (; k > 0 && events[k - 1].mono > event.mono &&
		       events[k - 1].attempt == event.attempt;
		     k--)
			events[k] = events[k - 1];
		events[k] = event;
	}
}

static bool is_before_offer(const struct event *event, int64_t attempt)
{
	if (event->attempt != 0 && event->attempt != attempt)
		return false;
	return event->kind != EVENT_JOB_FINISHED && event->kind != EVENT_HOST_REBOOT;
}

static bool is_firmware_dhcp(enum event_kind kind)
{
	return kind == EVENT_DHCP_DISCOVER || kind == EVENT_DHCP_OFFER || kind == EVENT_DHCP_ACK;
}

/* The first event of this boot, given that events[i] belongs to it. */
static size_t walk_back(const struct event *events, size_t i, int64_t attempt)
{
	while (i > 0 && events[i].kind != EVENT_DHCP_DISCOVER &&
	       is_before_offer(&events[i - 1], attempt))
		i--;
	while (i > 0 && is_firmware_dhcp(events[i - 1].kind) &&
	       is_before_offer(&events[i - 1], attempt))
		i--;
	return i;
}

size_t timeline_boot_start(const struct event *events, size_t n, int64_t attempt)
{
	for (size_t i = 0; i < n; i++)
		if (events[i].attempt == attempt && events[i].kind == EVENT_BOOT_OFFER)
			return walk_back(events, i, attempt);
	return n;
}

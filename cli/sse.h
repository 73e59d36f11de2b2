/* SPDX-License-Identifier: MulanPSL-2.0 */
/*
 * Server-sent events (WHATWG HTML, "Server-sent events", 9.2.6): bytes in, as they arrive, events
 * out. Pure; it never holds more than its limits.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "lib/base/buffer.h"
#include "lib/base/bytes.h"

#define SSE_ID_MAX    64
#define SSE_EVENT_MAX 64
#define SSE_LINE_MAX  ((size_t)64 << 10)  /* an event of ours has at most 1 KiB of fields */
#define SSE_DATA_MAX  ((size_t)256 << 10) /* all data lines of one event */

struct sse {
	struct buffer line, data; /* not yet whole */
	bool is_after_cr;         /* the last byte was CR: a LF now belongs to it */
	bool is_started;          /* the first line has passed (a byte order mark may precede it) */
	bool is_given;            /* data and event were handed out: the next call forgets them */
	char event[SSE_EVENT_MAX];
	char id[SSE_ID_MAX];      /* of the event that is being read */
	char last_id[SSE_ID_MAX]; /* of the last whole event: for Last-Event-ID */
};

struct sse_event {
	const char *event; /* type; "message" when the sender named none */
	const char *id;    /* last id that the stream gave; "" when none */
	struct slice data; /* lines joined by LF */
};

enum {
	SSE_EVENT = 1,    /* an event is in *ret_event */
	SSE_TOO_LONG = 2, /* past a limit: this is no stream of ours, give it up */
};

/* An empty parser; sse_deinit frees what it holds. */
void sse_init(struct sse *sse);
void sse_deinit(struct sse *sse);

/* Forgets a half-read event, for a new connection; last_id stays. */
void sse_restart(struct sse *sse);

/*
 * Takes bytes off *input until one event is whole.
 * Returns SSE_EVENT (*ret_event lives until the next call on this parser), 0 when the input is used
 * up, or SSE_TOO_LONG (also when memory is short).
 */
int sse_next(struct sse *sse, struct slice *input, struct sse_event *ret_event);

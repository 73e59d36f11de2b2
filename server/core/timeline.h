/* SPDX-License-Identifier: MulanPSL-2.0 */
/*
 * A boot as spans of time, drawn from its events: what each stage took and what it fetched.
 */
#pragma once

#include <stddef.h>

#include "server/core/event.h"

#define TIMELINE_STAGE_MAX 24
#define TIMELINE_SPANS_MAX 128

struct timeline_span {
	char stage[TIMELINE_STAGE_MAX]; /* "dhcp", "tftp", "file", "kernel", "run", ... */
	usec_t start, end;              /* since the first event of the boot */
	const struct event *from, *to;  /* borrowed; to is NULL while the stage lasts */
};

struct timeline {
	struct timeline_span spans[TIMELINE_SPANS_MAX];
	size_t n_spans;
	usec_t origin_wall; /* of the first event; 0 when there is none */
};

/*
 * The first event of the last boot in events[]: the first DHCP of firmware (or of iPXE) behind
 * everything that belongs to an earlier attempt than `attempt`. events in order of id, of one
 * machine. Returns its index, or n.
 */
size_t timeline_boot_start(const struct event *events, size_t n, int64_t attempt);

/*
 * Puts the stages of the initramfs, which are told of together and late, where they belong by time
 * among the other events of their attempt; these keep their order. events are of one boot.
 */
void timeline_order(struct event *events, size_t n);

/*
 * Computes the spans of events[n], which are of one boot in order of time. A stage that has no end
 * yet ends at the last event and its `to` is NULL. What does not fit is left out. Pure.
 */
void timeline_compute(const struct event *events, size_t n, struct timeline *ret);

/* SPDX-License-Identifier: MulanPSL-2.0 */
/*
 * The picture of a boot in text: one bar a stage, all on one axis of time.
 */
#pragma once

#include <jansson.h>
#include <stdbool.h>

#include "lib/base/buffer.h"

struct format_timeline_look {
	size_t width; /* columns of the terminal; 0: FORMAT_TIMELINE_WIDTH */
	bool is_utf8; /* blocks instead of '#' */
	bool has_colour;
};

#define FORMAT_TIMELINE_WIDTH 100

/*
 * Appends the bars of `stages`: the array "boot" of /v1/jobs/ID/timeline, each member {"stage",
 * "start_ms", "end_ms" (null: not over yet), "fields": {"file", "bytes"}} (fields of transfers:
 * stages "tftp" and "file"). The axis goes from the earliest start to the latest end; a stage
 * shorter than a cell still shows one. A line is at most `width` columns wide, as long as that
 * leaves bars of 10 cells. Members that are no stage are left out. Returns 0, FORMAT_TIMELINE_EMPTY
 * (nothing appended) when no stage is left, or -ENOMEM.
 */
enum { FORMAT_TIMELINE_EMPTY = 1 };
int format_timeline(struct buffer *out, const json_t *stages,
                    const struct format_timeline_look *look);

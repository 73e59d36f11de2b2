/* SPDX-License-Identifier: MulanPSL-2.0 */
/*
 * One event of the server (interfaces 7) as one line.
 */
#pragma once

#include <jansson.h>
#include <stdbool.h>

#include "lib/base/buffer.h"
#include "lib/base/usec.h"

/*
 * Whether one who waits for a job wants to see it: not the moves of the server's own machines,
 * which accompany the stages, and not a transfer's beginning, as its end tells more.
 */
bool format_event_is_stage(const json_t *event);

/*
 * For the one who waits: "   12.3s  file.done          vmlinuz-6.1 8.1 MB in 0.07s (116 MB/s)".
 * begin is the wall time of the first event (the same clock as the event's own time); an event
 * without a readable time gets no number. Without a newline.
 */
void format_event_stage(struct buffer *out, const json_t *event, usec_t begin_wall);

/*
 * For the log of all: "<time> <kind> host=… job=… attempt=… key=value…", a value with other
 * characters than plain ones in quotes. Without a newline.
 */
void format_event_line(struct buffer *out, const json_t *event);

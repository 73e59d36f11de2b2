/* SPDX-License-Identifier: MulanPSL-2.0 */
/*
 * Lines end with CR, LF or CRLF; an empty line ends an event. A name longer than its room is cut to
 * nothing (an id then does not change), never written past its end.
 */
#include "cli/sse.h"

#include <string.h>

#include "lib/base/text.h"

#define BYTE_ORDER_MARK "\xef\xbb\xbf"

void sse_init(struct sse *sse)
{
	*sse = (struct sse){ .is_started = false };
	sse->line.max = SSE_LINE_MAX;
	sse->data.max = SSE_DATA_MAX;
}

void sse_deinit(struct sse *sse)
{
	buffer_deinit(&sse->line);
	buffer_deinit(&sse->data);
}

/* Makes room for the next event. */
static void forget_event(struct sse *sse)
{
	sse->data.len = 0;
	sse->event[0] = '\0';
	sse->is_given = false;
}

void sse_restart(struct sse *sse)
{
	sse_deinit(sse);
	sse->is_after_cr = false;
	sse->is_started = false;
	forget_event(sse);
	memcpy(sse->id, sse->last_id, sizeof(sse->id));
}

/* A field of the event; unknown names are ignored as the standard wants. */
static void take_field(struct sse *sse, struct slice name, struct slice value)
{
	char id[SSE_ID_MAX];

	if (text_equal(name, "data")) {
		buffer_append_slice(&sse->data, value);
		buffer_append_text(&sse->data, "\n");
	} else if (text_equal(name, "event")) {
		(void)text_copy(sse->event, sizeof(sse->event), value); /* too long: no name */
	} else if (text_equal(name, "id")) {
		if (text_copy(id, sizeof(id), value) == 0) /* refuses a NUL, as the standard does */
			memcpy(sse->id, id, sizeof(id));
	}
}

static void take_line(struct sse *sse, struct slice line)
{
	struct slice name;

	if (!sse->is_started && slice_has_prefix(line, SLICE_LITERAL(BYTE_ORDER_MARK)))
		(void)slice_take(&line, 3);
	sse->is_started = true;
	if (line.len == 0 || line.data[0] == ':')
		return; /* a comment */
	name = slice_cut(&line, ':');
	if (line.len > 0 && line.data[0] == ' ')
		(void)slice_take(&line, 1);
	take_field(sse, name, line);
}

/* The empty line: whether there is an event to give. */
static bool finish_event(struct sse *sse, struct sse_event *ret)
{
	memcpy(sse->last_id, sse->id, sizeof(sse->last_id));
	if (sse->data.len == 0) {
		forget_event(sse);
		return false;
	}
	sse->is_given = true;
	*ret = (struct sse_event){
		.event = sse->event[0] ? sse->event : "message",
		.id = sse->last_id,
		.data = slice_make(sse->data.data, sse->data.len - 1),
	};
	return true;
}

/* Takes bytes up to a line's end (*input is not empty). Returns whether the line is whole. */
static bool read_line(struct sse *sse, struct slice *input)
{
	size_t n = 0;

	if (sse->is_after_cr && input->data[0] == '\n')
		(void)slice_take(input, 1);
	sse->is_after_cr = false;
	while (n < input->len && input->data[n] != '\n' && input->data[n] != '\r')
		n++;
	buffer_append_slice(&sse->line, slice_take(input, n));
	if (input->len == 0)
		return false;
	sse->is_after_cr = slice_take(input, 1).data[0] == '\r';
	return true;
}

int sse_next(struct sse *sse, struct slice *input, struct sse_event *ret_event)
{
	if (sse->is_given)
		forget_event(sse);
	while (input->len > 0) {
		bool is_whole = read_line(sse, input);

		if (sse->line.failed)
			return SSE_TOO_LONG;
		if (!is_whole)
			break;
		if (sse->line.len == 0 && sse->is_started) {
			if (finish_event(sse, ret_event))
				return SSE_EVENT;
			continue;
		}
		take_line(sse, buffer_slice(&sse->line));
		sse->line.len = 0;
		if (sse->data.failed)
			return SSE_TOO_LONG;
	}
	return 0;
}

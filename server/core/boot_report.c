/* SPDX-License-Identifier: MulanPSL-2.0 */
#include "server/core/boot_report.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/base/macro.h"
#include "lib/base/text.h"
#include "server/proto/url_query.h"

#define UPTIME_MS_MAX (UINT64_C(365) * 24 * 3600 * 1000)
#define AGO_MAX                                                                                    \
	(60 * USEC_PER_MINUTE) /* a clock that jumped does not move a stage further back           \
	                        */

/* Decodes into a text that is cut when it is long; bytes that are no ASCII are escaped. */
static void decode(struct slice raw, char *to, size_t size)
{
	uint8_t room[3 * BOOT_REPORT_DETAIL_MAX]; /* each byte may be an escape */
	struct bytes out = BYTES_ON(room);

	url_query_decode(slice_make(raw.data, MIN(raw.len, sizeof(room))), &out);
	(void)text_escape(to, size, bytes_slice(&out));
}

/* A stage that the table of events knows is one; any other word is where a failure was. */
static void put_stage(struct boot_report *report, const char *stage)
{
	char name[sizeof("initramfs.") + BOOT_REPORT_WORD_MAX];
	int kind;

	(void)snprintf(name, sizeof(name), "initramfs.%s", stage);
	kind = event_kind_from_name(slice_from_text(name));
	if (kind >= 0 && report->n_stages < ARRAY_SIZE(report->stages))
		report->stages[report->n_stages++].kind = (enum event_kind)kind;
}

static void put_uptime(struct boot_report *report, struct slice value)
{
	uint64_t ms;

	if (text_parse_u64(value, UPTIME_MS_MAX, &ms) != 0)
		return;
	report->uptime = MAX(report->uptime, ms * USEC_PER_MSEC);
	if (report->n_stages > 0)
		report->stages[report->n_stages - 1].uptime = ms * USEC_PER_MSEC;
}

/* Lines STATE NAME; what is no such line counts for nothing. */
static void put_initrds(struct boot_report *report, struct slice value)
{
	uint8_t room[8192];
	struct bytes text = BYTES_ON(room);
	struct slice rest;
	size_t len = strlen(report->missing);

	url_query_decode(slice_make(value.data, MIN(value.len, sizeof(room))), &text);
	rest = bytes_slice(&text);
	while (rest.len > 0) {
		struct slice name = slice_cut(&rest, '\n');
		struct slice state = slice_cut(&name, ' ');

		if (text_equal(state, "here"))
			report->n_here++;
		else if (text_equal(state, "unknown"))
			report->n_unknown++;
		if (!text_equal(state, "missing") || len + 2 >= sizeof(report->missing))
			continue;
		if (len > 0)
			report->missing[len++] = ' ';
		(void)text_escape(report->missing + len, sizeof(report->missing) - len, name);
		len = strlen(report->missing);
	}
}

int boot_report_parse(struct slice body, struct boot_report *ret)
{
	struct slice key, value;

	*ret = (struct boot_report){ .stage = "", .detail = "" };
	while (url_query_next(&body, &key, &value)) {
		if (text_equal(key, "stage")) {
			decode(value, ret->stage, sizeof(ret->stage));
			put_stage(ret, ret->stage);
		} else if (text_equal(key, "uptime_ms")) {
			put_uptime(ret, value);
		} else if (text_equal(key, "step")) {
			decode(value, ret->step, sizeof(ret->step));
		} else if (text_equal(key, "cause")) {
			decode(value, ret->cause, sizeof(ret->cause));
		} else if (text_equal(key, "detail")) {
			decode(value, ret->detail, sizeof(ret->detail));
		} else if (text_equal(key, "journal")) {
			ret->journal = value;
		} else if (text_equal(key, "initrds")) {
			put_initrds(ret, value);
		} else if (text_equal(key, "panic")) {
			ret->panic = value;
		}
	}
	ret->has_failed = ret->cause[0] != '\0';
	return ret->has_failed || ret->n_stages > 0 ? 0 : BOOT_REPORT_BAD;
}

const char *boot_report_cause(const struct boot_report *report, char to[BOOT_REPORT_CAUSE_MAX])
{
	(void)snprintf(to, BOOT_REPORT_CAUSE_MAX, "%s.%s.%s",
	               report->stage[0] ? report->stage : "initramfs",
	               report->step[0] ? report->step : "unknown", report->cause);
	return to;
}

/* The last BOOT_REPORT_LOG_MAX bytes, from the first line that begins there. */
static struct slice log_tail(struct slice text, bool is_cut)
{
	size_t end;

	if (text.len > BOOT_REPORT_LOG_MAX) {
		text = slice_sub(text, text.len - BOOT_REPORT_LOG_MAX, text.len);
		is_cut = true;
	}
	end = slice_find(text, '\n', 0);
	return is_cut && end < text.len ? slice_sub(text, end + 1, text.len) : text;
}

void boot_report_log(struct slice encoded, struct buffer *out)
{
	struct bytes text = { .cap = MIN(encoded.len, (size_t)3 * BOOT_REPORT_LOG_MAX) };
	struct slice rest;

	text.data = malloc(text.cap + 1);
	if (!text.data) {
		out->failed = true;
		return;
	}
	url_query_decode(slice_sub(encoded, encoded.len - text.cap, encoded.len), &text);
	rest = log_tail(bytes_slice(&text), encoded.len > text.cap);
	for (size_t i = 0; i < rest.len; i++) {
		uint8_t c = rest.data[i];

		if (c == '\n' || c == '\t' || (c >= ' ' && c <= '~'))
			buffer_append(out, &c, 1);
		else
			buffer_printf(out, "\\x%02x", c);
	}
	free(text.data);
}

usec_t boot_report_ago(const struct boot_report *report, const struct boot_report_stage *stage)
{
	if (stage->uptime == 0)
		return 0;
	return MIN(usec_sub(report->uptime, stage->uptime), AGO_MAX);
}

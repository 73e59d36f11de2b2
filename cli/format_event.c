/* SPDX-License-Identifier: MulanPSL-2.0 */
#include "cli/format_event.h"

#include <string.h>

#include "cli/field.h"
#include "cli/format_text.h"
#include "cli/format_units.h"
#include "lib/base/macro.h"
#include "lib/base/text.h"

#define TIME_WIDTH 8
#define KIND_WIDTH 18 /* "initramfs.overlay" */

/* Whether a value may stand without quotes in key=value. */
static bool is_plain(const char *text)
{
	if (text[0] == '\0')
		return false;
	for (const char *p = text; *p; p++)
		if (!char_is_alnum(*p) && !strchr("._-/+:@,%", *p))
			return false;
	return true;
}

static void append_value(struct buffer *out, const json_t *value)
{
	const char *text = json_string_value(value);
	char *dump;

	if (text && is_plain(text)) {
		buffer_append_text(out, text);
		return;
	}
	dump = json_dumps(value, JSON_ENCODE_ANY | JSON_COMPACT | JSON_REAL_PRECISION(6));
	format_clean(out, dump ? dump : "?");
	free(dump);
}

static void append_pair(struct buffer *out, const char *key, const json_t *value)
{
	const char *text = json_string_value(value);

	if (!value || json_is_null(value) || (text && text[0] == '\0'))
		return;
	buffer_append_text(out, " ");
	format_clean(out, key);
	buffer_append_text(out, "=");
	append_value(out, value);
}

void format_event_line(struct buffer *out, const json_t *event)
{
	static const char *const keys[] = { "host", "mac", "job", "attempt" };
	json_t *fields = json_object_get(event, "fields"), *value;
	const char *key;

	format_clean(out, field_text(event, "time"));
	buffer_append_text(out, " ");
	format_clean(out, field_text(event, "kind"));
	for (size_t i = 0; i < ARRAY_SIZE(keys); i++)
		append_pair(out, keys[i], json_object_get(event, keys[i]));
	json_object_foreach(fields, key, value)
	{
		append_pair(out, key, value);
	}
}

static void append_elapsed(struct buffer *out, const json_t *event, usec_t begin_wall)
{
	struct buffer text = BUFFER_NULL;
	usec_t wall;

	if (format_parse_time(slice_from_text(field_text(event, "time")), &wall) == 0)
		format_duration(&text, usec_sub(wall, begin_wall));
	format_spaces(out, TIME_WIDTH - MIN((size_t)TIME_WIDTH, text.len));
	buffer_append_slice(out, buffer_slice(&text));
	buffer_append_text(out, "  ");
	buffer_deinit(&text);
}

/* "vmlinuz 8.1 MB in 0.07s (116.0 MB/s)", as far as the fields go. */
static void append_transfer(struct buffer *out, const json_t *fields)
{
	const char *file = field_text(fields, "file"), *slash = strrchr(file, '/');
	int64_t bytes = field_integer(fields, "bytes", -1);
	double sec = field_real(fields, "seconds", -1);
	usec_t duration = sec >= 0 && sec < 1e9 ? (usec_t)(sec * 1e6) : 0;

	if (file[0]) {
		buffer_append_text(out, " ");
		format_clean(out, slash && slash[1] ? slash + 1 : file);
	}
	if (bytes >= 0) {
		buffer_append_text(out, " ");
		format_size(out, (uint64_t)bytes);
	}
	if (sec >= 0) {
		buffer_append_text(out, " in ");
		format_duration(out, duration);
	}
	if (bytes >= 0 && duration > 0) {
		buffer_append_text(out, " (");
		format_rate(out, (uint64_t)bytes, duration);
		buffer_append_text(out, ")");
	}
}

/* What append_transfer has not said, and what is not as always. */
static bool is_news(const json_t *fields, const char *key, const json_t *value)
{
	if (strcmp(key, "file") == 0 || strcmp(key, "bytes") == 0 || strcmp(key, "seconds") == 0)
		return false;
	if (strcmp(key, "size") == 0)
		return !json_equal(value, json_object_get(fields, "bytes"));
	return !json_is_false(value) && strcmp(key, "session") != 0;
}

void format_event_stage(struct buffer *out, const json_t *event, usec_t begin_wall)
{
	json_t *fields = json_object_get(event, "fields"), *value;
	const char *kind = field_text(event, "kind"), *key;
	size_t width = format_width(kind);

	append_elapsed(out, event, begin_wall);
	format_clean(out, kind);
	if (json_object_size(fields) == 0)
		return;
	format_spaces(out, KIND_WIDTH - MIN((size_t)KIND_WIDTH, width));
	append_transfer(out, fields);
	json_object_foreach(fields, key, value)
	{
		if (is_news(fields, key, value))
			append_pair(out, key, value);
	}
}

bool format_event_is_stage(const json_t *event)
{
	static const char *const others[] = { "job.state",  "attempt.state", "host.state",
		                              "tftp.start", "file.start",    "upload.start" };
	const char *kind = field_text(event, "kind");

	for (size_t i = 0; i < ARRAY_SIZE(others); i++)
		if (strcmp(kind, others[i]) == 0)
			return false;
	return true;
}

/* SPDX-License-Identifier: MulanPSL-2.0 */
/*
 * The growing builder; doubles its room, so that n appends cost O(n).
 */
#include "lib/base/buffer.h"

#include <assert.h>
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/base/macro.h"

/* Makes room for `more` bytes and a NUL. Returns false (and sets failed) when that cannot be. */
static bool make_room(struct buffer *b, size_t more)
{
	size_t max = b->max ? b->max : BUFFER_MAX_DEFAULT;
	size_t want, cap;
	uint8_t *data;

	if (b->failed || more > max - b->len) {
		b->failed = true;
		return false;
	}
	want = b->len + more + 1;
	if (want <= b->cap)
		return true;
	cap = MAX(b->cap * 2, (size_t)256);
	cap = MAX(cap, want);
	data = realloc(b->data, cap);
	if (!data) {
		b->failed = true;
		return false;
	}
	b->data = data;
	b->cap = cap;
	return true;
}

void buffer_deinit(struct buffer *b)
{
	size_t max = b->max;

	free(b->data);
	*b = BUFFER_NULL;
	b->max = max;
}

void buffer_append(struct buffer *b, const void *data, size_t len)
{
	if (!make_room(b, len))
		return;
	if (len > 0)
		memcpy(b->data + b->len, data, len);
	b->len += len;
	b->data[b->len] = '\0';
}

void buffer_append_slice(struct buffer *b, struct slice s)
{
	buffer_append(b, s.data, s.len);
}

void buffer_append_text(struct buffer *b, const char *text)
{
	buffer_append(b, text, strlen(text));
}

void buffer_printf(struct buffer *b, const char *format, ...)
{
	va_list args, again;
	int n;

	va_start(args, format);
	va_copy(again, args);
	n = vsnprintf(NULL, 0, format, args);
	va_end(args);
	if (n < 0)
		b->failed = true;
	else if (make_room(b, (size_t)n)) {
		(void)vsnprintf((char *)b->data + b->len, (size_t)n + 1, format, again);
		b->len += (size_t)n;
	}
	va_end(again);
}

void buffer_consume(struct buffer *b, size_t n)
{
	assert(n <= b->len);
	if (n == 0)
		return;
	memmove(b->data, b->data + n, b->len - n + 1);
	b->len -= n;
}

int buffer_error(const struct buffer *b)
{
	return b->failed ? -ENOMEM : 0;
}

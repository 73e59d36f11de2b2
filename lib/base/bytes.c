/* SPDX-License-Identifier: MulanPSL-2.0 */
/*
 * Views and builders of bytes; see bytes.h for the promises.
 */
#include "lib/base/bytes.h"

#include <assert.h>
#include <stdarg.h>
#include <stdio.h>

#include "lib/base/macro.h"
#include "lib/base/text.h"

bool slice_equal(struct slice a, struct slice b)
{
	return a.len == b.len && (a.len == 0 || memcmp(a.data, b.data, a.len) == 0);
}

bool slice_equal_nocase(struct slice a, struct slice b)
{
	if (a.len != b.len)
		return false;
	for (size_t i = 0; i < a.len; i++)
		if (char_lower((char)a.data[i]) != char_lower((char)b.data[i]))
			return false;
	return true;
}

bool slice_has_prefix(struct slice s, struct slice prefix)
{
	return s.len >= prefix.len && slice_equal(slice_sub(s, 0, prefix.len), prefix);
}

bool slice_has_suffix(struct slice s, struct slice suffix)
{
	return s.len >= suffix.len &&
	       slice_equal(slice_sub(s, s.len - suffix.len, suffix.len), suffix);
}

struct slice slice_sub(struct slice s, size_t offset, size_t len)
{
	if (offset >= s.len)
		return SLICE_NULL;
	return slice_make(s.data + offset, MIN(len, s.len - offset));
}

struct slice slice_take(struct slice *s, size_t n)
{
	struct slice head = slice_make(s->data, n);

	assert(n <= s->len);
	if (n > 0)
		s->data += n;
	s->len -= n;
	return head;
}

size_t slice_find(struct slice s, uint8_t c, size_t offset)
{
	const uint8_t *p;

	if (offset >= s.len)
		return s.len;
	p = memchr(s.data + offset, c, s.len - offset);
	return p ? (size_t)(p - s.data) : s.len;
}

struct slice slice_cut(struct slice *s, uint8_t separator)
{
	struct slice head = slice_take(s, slice_find(*s, separator, 0));

	if (s->len > 0)
		(void)slice_take(s, 1); /* the separator itself */
	return head;
}

void bytes_append(struct bytes *b, const void *data, size_t len)
{
	if (b->overflow || len > b->cap - b->len) {
		b->overflow = true;
		return;
	}
	if (len > 0)
		memcpy(b->data + b->len, data, len);
	b->len += len;
}

void bytes_append_slice(struct bytes *b, struct slice s)
{
	bytes_append(b, s.data, s.len);
}

void bytes_append_text(struct bytes *b, const char *text)
{
	bytes_append(b, text, strlen(text));
}

void bytes_append_u8(struct bytes *b, uint8_t v)
{
	bytes_append(b, &v, 1);
}

void bytes_append_be16(struct bytes *b, uint16_t v)
{
	uint8_t wire[2];

	put_be16(wire, v);
	bytes_append(b, wire, sizeof(wire));
}

void bytes_append_be32(struct bytes *b, uint32_t v)
{
	uint8_t wire[4];

	put_be32(wire, v);
	bytes_append(b, wire, sizeof(wire));
}

void bytes_append_zeros(struct bytes *b, size_t n)
{
	if (b->overflow || n > b->cap - b->len) {
		b->overflow = true;
		return;
	}
	memset(b->data + b->len, 0, n);
	b->len += n;
}

void bytes_printf(struct bytes *b, const char *format, ...)
{
	va_list args;
	int n;

	if (b->overflow)
		return;
	va_start(args, format);
	n = vsnprintf((char *)b->data + b->len, b->cap - b->len, format, args);
	va_end(args);
	/* vsnprintf wants room for its NUL too: a text that fills the array to the end is too long.
	 */
	if (n < 0 || (size_t)n >= b->cap - b->len) {
		b->overflow = true;
		return;
	}
	b->len += (size_t)n;
}

/* SPDX-License-Identifier: MulanPSL-2.0 */
/*
 * Numbers, copies and escapes of text; see text.h for the promises.
 */
#include "lib/base/text.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int char_hex_value(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	c = char_lower(c);
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	return -1;
}

static int parse_base(struct slice s, unsigned base, uint64_t max, uint64_t *ret)
{
	uint64_t value = 0;

	if (s.len == 0)
		return TEXT_BAD_NUMBER;
	for (size_t i = 0; i < s.len; i++) {
		int digit = char_hex_value((char)s.data[i]);

		if (digit < 0 || (unsigned)digit >= base)
			return TEXT_BAD_NUMBER;
		if (__builtin_mul_overflow(value, base, &value) ||
		    __builtin_add_overflow(value, (uint64_t)digit, &value) || value > max)
			return TEXT_BAD_NUMBER;
	}
	*ret = value;
	return 0;
}

int text_parse_u64(struct slice s, uint64_t max, uint64_t *ret)
{
	return parse_base(s, 10, max, ret);
}

int text_parse_hex(struct slice s, uint64_t max, uint64_t *ret)
{
	return parse_base(s, 16, max, ret);
}

struct slice text_trim(struct slice s)
{
	while (s.len > 0 && char_is_space((char)s.data[0]))
		(void)slice_take(&s, 1);
	while (s.len > 0 && char_is_space((char)s.data[s.len - 1]))
		s.len--;
	return s;
}

int text_copy(char *to, size_t size, struct slice s)
{
	if (s.len >= size || slice_find(s, 0, 0) < s.len) {
		to[0] = '\0';
		return TEXT_TOO_LONG;
	}
	if (s.len > 0)
		memcpy(to, s.data, s.len);
	to[s.len] = '\0';
	return 0;
}

char *text_dup(struct slice s)
{
	char *copy = malloc(s.len + 1);

	if (!copy)
		return NULL;
	if (s.len > 0)
		memcpy(copy, s.data, s.len);
	copy[s.len] = '\0';
	return copy;
}

char *text_format(const char *format, ...)
{
	va_list args;
	char *out;
	int n;

	va_start(args, format);
	n = vsnprintf(NULL, 0, format, args);
	va_end(args);
	out = n < 0 ? NULL : malloc((size_t)n + 1);
	if (!out)
		return NULL;
	va_start(args, format);
	(void)vsnprintf(out, (size_t)n + 1, format, args);
	va_end(args);
	return out;
}

bool text_equal(struct slice s, const char *text)
{
	return slice_equal(s, slice_from_text(text));
}

const char *text_escape(char *to, size_t size, struct slice s)
{
	static const char digits[] = "0123456789abcdef";
	size_t n = 0;

	for (size_t i = 0; i < s.len; i++) {
		uint8_t c = s.data[i];
		bool plain = c >= 0x20 && c < 0x7f;
		bool quoted = c == '"' || c == '\\';
		size_t need = plain ? (quoted ? 2 : 1) : 4;

		if (need >= size - n)
			break;
		if (!plain) {
			to[n++] = '\\';
			to[n++] = 'x';
			to[n++] = digits[c >> 4];
			to[n++] = digits[c & 15];
			continue;
		}
		if (quoted)
			to[n++] = '\\';
		to[n++] = (char)c;
	}
	to[n] = '\0';
	return to;
}

void text_hex(char *to, const void *data, size_t len)
{
	static const char digits[] = "0123456789abcdef";
	const uint8_t *b = data;

	for (size_t i = 0; i < len; i++) {
		*to++ = digits[b[i] >> 4];
		*to++ = digits[b[i] & 15];
	}
	*to = '\0';
}

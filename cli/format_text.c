/* SPDX-License-Identifier: MulanPSL-2.0 */
#include "cli/format_text.h"

#include <string.h>

static const char *const codes[] = {
	[STYLE_PLAIN] = "",        [STYLE_GOOD] = "\x1b[32m", [STYLE_BAD] = "\x1b[31m",
	[STYLE_WARN] = "\x1b[33m", [STYLE_DIM] = "\x1b[2m",   [STYLE_HEAD] = "\x1b[1m",
};

/* Length of the character at p, 1..4; what is no UTF-8 counts as one byte. */
static size_t character_len(const char *p)
{
	unsigned char c = (unsigned char)*p;
	size_t len = c >= 0xf0 ? 4 : c >= 0xe0 ? 3 : c >= 0xc2 ? 2 : 1;

	for (size_t i = 1; i < len; i++)
		if (((unsigned char)p[i] & 0xc0) != 0x80)
			return 1; /* also stops at the NUL */
	return len;
}

/* Whether the character is safe to show: no control, no stray byte. */
static bool is_shown(const char *p, size_t len)
{
	unsigned char c = (unsigned char)p[0];

	if (len == 1)
		return c >= 0x20 && c < 0x7f;
	return !(len == 2 && c == 0xc2 && (unsigned char)p[1] < 0xa0);
}

size_t format_cut(struct buffer *out, const char *text, size_t width)
{
	bool is_cut = format_width(text) > width;
	size_t n = 0, len;

	if (width == 0)
		return 0;
	for (const char *p = text; *p && n + is_cut < width; p += len, n++) {
		len = character_len(p);
		if (is_shown(p, len))
			buffer_append(out, p, len);
		else
			buffer_append_text(out, "?");
	}
	if (is_cut)
		buffer_append_text(out, "~");
	return n + is_cut;
}

void format_clean(struct buffer *out, const char *text)
{
	(void)format_cut(out, text, SIZE_MAX);
}

size_t format_width(const char *text)
{
	size_t n = 0;

	for (const char *p = text; *p; p += character_len(p))
		n++;
	return n;
}

void format_spaces(struct buffer *out, size_t n)
{
	for (size_t i = 0; i < n; i++)
		buffer_append_text(out, " ");
}

void format_style_begin(struct buffer *out, enum style style, bool has_colour)
{
	if (has_colour)
		buffer_append_text(out, codes[style]);
}

void format_style_end(struct buffer *out, enum style style, bool has_colour)
{
	if (has_colour && style != STYLE_PLAIN)
		buffer_append_text(out, "\x1b[0m");
}

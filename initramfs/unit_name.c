/* SPDX-License-Identifier: MulanPSL-2.0 */
#include "initramfs/unit_name.h"

#include "lib/base/text.h"

/* A builder that leaves room for the NUL, which finish() writes. */
static struct bytes start(char *to, size_t size)
{
	return (struct bytes){ .data = (uint8_t *)to, .cap = size - 1 };
}

static int finish(struct bytes *b)
{
	b->data[b->overflow ? 0 : b->len] = '\0';
	return b->overflow ? UNIT_NAME_TOO_LONG : 0;
}

static void append_escaped(struct bytes *out, char c)
{
	bytes_printf(out, "\\x%02x", (unsigned)(uint8_t)c);
}

int unit_name_from_node(const char *node, char to[UNIT_NAME_MAX])
{
	struct bytes out = start(to, UNIT_NAME_MAX);

	for (const char *p = node; *p; p++) {
		bool is_first = out.len == 0;

		if (*p == '/') {
			/* one dash for a run of slashes, none at the ends */
			if (!is_first && p[1] != '\0' && p[1] != '/')
				bytes_append_u8(&out, '-');
		} else if (char_is_alnum(*p) || *p == ':' || *p == '_' ||
		           (*p == '.' && !is_first)) {
			bytes_append_u8(&out, (uint8_t)*p);
		} else {
			append_escaped(&out, *p);
		}
	}
	bytes_append_text(&out, ".device");
	return finish(&out);
}

/* Length of the UTF-8 character at the start of s when it is whole and not ASCII, else 0. */
static size_t utf8_length(struct slice s)
{
	uint8_t lead = s.data[0];
	size_t n = lead >= 0xf0 && lead < 0xf5   ? 4
	           : lead >= 0xe0 && lead < 0xf0 ? 3
	           : lead >= 0xc2 && lead < 0xe0 ? 2
	                                         : 0;

	if (n > s.len)
		return 0;
	for (size_t i = 1; i < n; i++)
		if ((s.data[i] & 0xc0) != 0x80)
			return 0;
	return n;
}

static bool is_plain(char c)
{
	return char_is_alnum(c) || (c && strchr("#+-.:=@_", c));
}

int unit_name_tag_node(const char *dir, struct slice value, char *to, size_t size)
{
	struct bytes out = start(to, size);

	bytes_append_text(&out, "/dev/disk/");
	bytes_append_text(&out, dir);
	bytes_append_u8(&out, '/');
	while (value.len > 0) {
		size_t n = utf8_length(value);

		if (n > 0)
			bytes_append_slice(&out, slice_take(&value, n));
		else if (is_plain((char)value.data[0]))
			bytes_append_slice(&out, slice_take(&value, 1));
		else
			append_escaped(&out, (char)*slice_take(&value, 1).data);
	}
	return finish(&out);
}

void unit_name_append_value(struct bytes *out, const char *text)
{
	for (; *text; text++) {
		if (*text == '%')
			bytes_append_u8(out, '%');
		bytes_append_u8(out, (uint8_t)*text);
	}
}

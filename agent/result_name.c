/* SPDX-License-Identifier: MulanPSL-2.0 */
#include "agent/result_name.h"

#include <stdio.h>

#include "lib/base/text.h"

/* Length of the UTF-8 sequence at the front of s (RFC 3629, 4), or 0 when there is none. */
static size_t utf8_length(struct slice s)
{
	static const uint8_t low[] = { 0x80, 0xa0,
		                       0x90 }; /* after C2..DF.., E0, F0: not overlong */
	uint8_t c = s.data[0];
	size_t n = c < 0x80 ? 1 : c < 0xc2 ? 0 : c < 0xe0 ? 2 : c < 0xf0 ? 3 : c < 0xf5 ? 4 : 0;
	uint8_t first = c == 0xe0 ? low[1] : c == 0xf0 ? low[2] : low[0];
	uint8_t last = c == 0xed ? 0x9f : c == 0xf4 ? 0x8f : 0xbf;

	if (n > s.len)
		return 0;
	for (size_t i = 1; i < n; i++) {
		if (s.data[i] < (i == 1 ? first : 0x80) || s.data[i] > (i == 1 ? last : 0xbf))
			return 0;
	}
	return n;
}

void result_name_make(char to[RESULT_NAME_MAX + 1], struct slice path, unsigned n)
{
	char suffix[12] = "";
	size_t len = 0, room;

	if (n > 0)
		(void)snprintf(suffix, sizeof(suffix), ".%u", n);
	room = RESULT_NAME_MAX - strlen(suffix);
	while (path.len > 0) {
		size_t step = utf8_length(path);
		struct slice c = slice_take(&path, step ? step : 1);
		char one = (char)c.data[0];

		if (len + c.len > room)
			break;
		if (c.len > 1) {
			memcpy(to + len, c.data, c.len);
			len += c.len;
			continue;
		}
		if (step == 0 || (unsigned char)one < 0x20 || one == 0x7f ||
		    (one == '.' && len == 0))
			one = '_';
		to[len++] = one == '/' ? '-' : one;
	}
	memcpy(to + len, suffix, strlen(suffix) + 1);
}

void result_name_encode(struct bytes *to, const char *name)
{
	for (const char *p = name; *p; p++) {
		if (char_is_alnum(*p) || *p == '-' || *p == '.' || *p == '_' || *p == '~')
			bytes_append_u8(to, (uint8_t)*p);
		else
			bytes_printf(to, "%%%02X", (unsigned char)*p);
	}
}

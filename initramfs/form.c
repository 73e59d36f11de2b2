/* SPDX-License-Identifier: MulanPSL-2.0 */
#include "initramfs/form.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "lib/base/text.h"

static void append_byte(struct buffer *out, uint8_t byte)
{
	char text[4];
	size_t len = 1;

	if (byte == ' ') {
		text[0] = '+';
	} else if (char_is_alnum((char)byte) || (byte != '\0' && strchr("*-._", byte))) {
		text[0] = (char)byte;
	} else {
		(void)snprintf(text, sizeof(text), "%%%02X", byte);
		len = 3;
	}
	buffer_append(out, text, len);
}

void form_append(struct buffer *out, const char *name, struct slice value)
{
	if (out->len > 0)
		buffer_append_text(out, "&");
	for (const char *c = name; *c; c++)
		append_byte(out, (uint8_t)*c);
	buffer_append_text(out, "=");
	for (size_t i = 0; i < value.len; i++)
		append_byte(out, value.data[i]);
}

void form_append_u64(struct buffer *out, const char *name, uint64_t value)
{
	char text[24];

	(void)snprintf(text, sizeof(text), "%" PRIu64, value);
	form_append(out, name, slice_from_text(text));
}

/* SPDX-License-Identifier: MulanPSL-2.0 */
#include "initramfs/disk_id.h"

#include "lib/base/macro.h"
#include "lib/base/text.h"

void disk_id_from_text(struct slice text, char to[DISK_ID_MAX])
{
	struct bytes out = { .data = (uint8_t *)to, .cap = DISK_ID_MAX - 1 };

	/* sysfs pads with NULs as well */
	while (text.len > 0 &&
	       (text.data[text.len - 1] == '\0' || char_is_space((char)text.data[text.len - 1])))
		text.len--;
	text = text_trim(text);
	for (size_t i = 0; i < text.len; i++) {
		char c = (char)text.data[i];

		if (char_is_space(c))
			bytes_append_u8(&out, '_');
		else if (c > 0x20 && c < 0x7f)
			bytes_append_u8(&out, (uint8_t)c);
	}
	to[out.overflow ? 0 : out.len] = '\0'; /* half a number is none */
}

void disk_id_from_page80(struct slice page, char to[DISK_ID_MAX])
{
	to[0] = '\0';
	if (page.len < 4 || page.data[1] != 0x80)
		return;
	disk_id_from_text(slice_sub(page, 4, get_be16(page.data + 2)), to);
}

static bool take_prefix(struct slice *s, const char *prefix)
{
	struct slice p = slice_from_text(prefix);

	if (s->len < p.len || !slice_equal_nocase(slice_sub(*s, 0, p.len), p))
		return false;
	(void)slice_take(s, p.len);
	return true;
}

/* At least the 64 bits of the shortest kind. */
static bool is_wwn(struct slice s)
{
	if (s.len < 16 || s.len >= DISK_ID_MAX)
		return false;
	for (size_t i = 0; i < s.len; i++)
		if (char_hex_value((char)s.data[i]) < 0)
			return false;
	return true;
}

static void lower_case(struct slice s, char to[DISK_ID_MAX])
{
	for (size_t i = 0; i < s.len; i++)
		to[i] = char_lower((char)s.data[i]);
	to[s.len] = '\0';
}

void disk_id_from_wwid(struct slice text, char to[DISK_ID_MAX])
{
	text = text_trim(text);
	to[0] = '\0';
	if (!take_prefix(&text, "naa.") && !take_prefix(&text, "eui.") &&
	    !take_prefix(&text, "uuid."))
		(void)take_prefix(&text, "0x");
	if (is_wwn(text))
		lower_case(text, to);
}

bool disk_id_is(struct slice written, const char *serial, const char *wwn)
{
	char text[DISK_ID_MAX];

	if (written.len == 0)
		return false;
	if (serial[0] && text_equal(written, serial))
		return true;
	(void)take_prefix(&written, "wwn-");
	disk_id_from_wwid(written, text);
	return text[0] && strcmp(text, wwn) == 0;
}

static bool is_word(struct slice s)
{
	for (size_t i = 0; i < s.len; i++) {
		char c = (char)s.data[i];

		if (!char_is_alnum(c) && c != '.' && c != '_' && c != '-')
			return false;
	}
	return s.len > 0;
}

bool disk_id_is_permitted(struct slice token, const char *serial, const char *wwn)
{
	if (disk_id_is(token, serial, wwn))
		return true;
	for (size_t i = token.len; i > 0; i--)
		if (token.data[i - 1] == ':')
			return is_word(slice_sub(token, i, token.len)) &&
			       disk_id_is(slice_sub(token, 0, i - 1), serial, wwn);
	return false;
}

/* SPDX-License-Identifier: MulanPSL-2.0 */
#include "server/config_text.h"

#include <string.h>

#include "lib/base/macro.h"
#include "lib/base/text.h"

bool config_text_is_absolute(struct slice text)
{
	return text.data[0] == '/';
}

bool config_text_is_relative(struct slice text)
{
	return text.data[0] != '/';
}

bool config_text_is_interface(struct slice text)
{
	for (size_t i = 0; i < text.len; i++)
		if (text.data[i] <= ' ' || text.data[i] == '/' || text.data[i] == 0x7f)
			return false;
	return !text_equal(text, ".") && !text_equal(text, "..");
}

bool config_text_is_lab(struct slice text)
{
	for (size_t i = 0; i < text.len; i++)
		if (!char_is_alnum((char)text.data[i]) && text.data[i] != '-' &&
		    text.data[i] != '_')
			return false;
	return char_is_alnum((char)text.data[0]);
}

static bool is_plain_component(struct slice part)
{
	if (part.len == 0 || part.data[0] == '.')
		return false;
	for (size_t i = 0; i < part.len; i++)
		if (!char_is_alnum((char)part.data[i]) && !strchr("-._", part.data[i]))
			return false;
	return true;
}

bool config_text_is_url_prefix(struct slice text)
{
	return text.data[0] == '/' && is_plain_component(slice_sub(text, 1, text.len));
}

/* Printable ASCII without space and quotes, and none of `but`: can stand on a command line. */
static bool is_word_without(struct slice text, const char *but)
{
	for (size_t i = 0; i < text.len; i++)
		if (text.data[i] <= ' ' || text.data[i] > '~' || strchr("\"'\\", text.data[i]) ||
		    strchr(but, text.data[i]))
			return false;
	return text.len > 0;
}

bool config_text_is_one_word(struct slice text)
{
	return is_word_without(text, ":");
}

bool config_text_is_export_path(struct slice text)
{
	return config_text_is_absolute(text) && is_word_without(text, ":");
}

bool config_text_is_share(struct slice text)
{
	return config_text_is_relative(text) && is_word_without(text, ",");
}

bool config_text_is_credential(struct slice text)
{
	return is_word_without(text, ",:@/");
}

bool config_text_is_cifs_options(struct slice text)
{
	static const char *const other_keys[] = { "guest", "user", "username", "pass", "password" };
	struct slice rest = text;

	while (rest.len > 0) {
		struct slice option = slice_cut(&rest, ',');
		struct slice name = slice_cut(&option, '=');

		for (size_t i = 0; i < ARRAY_SIZE(other_keys); i++)
			if (text_equal(name, other_keys[i]))
				return false;
	}
	return is_word_without(text, "");
}

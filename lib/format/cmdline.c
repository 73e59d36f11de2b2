/* SPDX-License-Identifier: MulanPSL-2.0 */
#include "lib/format/cmdline.h"

#include "lib/base/text.h"

static struct slice skip_space(struct slice s)
{
	while (s.len > 0 && (char_is_space((char)s.data[0]) || s.data[0] == '\0'))
		(void)slice_take(&s, 1);
	return s;
}

/* Length of the word at the start of s: up to white space outside of quotes. */
static size_t word_length(struct slice s)
{
	bool in_quote = false;
	size_t n;

	for (n = 0; n < s.len; n++) {
		if (s.data[n] == '"')
			in_quote = !in_quote;
		else if (!in_quote && (char_is_space((char)s.data[n]) || s.data[n] == '\0'))
			break;
	}
	return n;
}

/* Takes one quote off the front and, where it closes, one off the end. */
static struct slice unquote(struct slice s)
{
	if (s.len == 0 || s.data[0] != '"')
		return s;
	(void)slice_take(&s, 1);
	if (s.len > 0 && s.data[s.len - 1] == '"')
		s.len--;
	return s;
}

bool cmdline_next(struct slice *rest, struct cmdline_word *ret)
{
	struct slice word;
	size_t equals;

	*rest = skip_space(*rest);
	if (rest->len == 0)
		return false;
	word = unquote(slice_take(rest, word_length(*rest)));
	equals = slice_find(word, '=', 0);
	ret->key = slice_sub(word, 0, equals);
	ret->has_value = equals < word.len;
	ret->value = ret->has_value ? unquote(slice_sub(word, equals + 1, word.len)) : SLICE_NULL;
	return true;
}

/* Whether s has no byte that would break a word; *ret_space says whether it has white space. */
static bool is_quotable(struct slice s, bool *ret_space)
{
	*ret_space = false;
	for (size_t i = 0; i < s.len; i++) {
		uint8_t c = s.data[i];

		if (c == ' ')
			*ret_space = true;
		else if (c < 0x20 || c == 0x7f || c == '"')
			return false;
	}
	return true;
}

int cmdline_append(struct bytes *out, struct slice key, const struct slice *value)
{
	bool key_space, value_space = false;

	if (key.len == 0 || !is_quotable(key, &key_space) || key_space ||
	    slice_find(key, '=', 0) < key.len)
		return CMDLINE_UNQUOTABLE;
	if (value && !is_quotable(*value, &value_space))
		return CMDLINE_UNQUOTABLE;
	if (out->len > 0 && out->data[out->len - 1] != ' ')
		bytes_append_u8(out, ' ');
	bytes_append_slice(out, key);
	if (!value)
		return 0;
	bytes_append_text(out, value_space ? "=\"" : "=");
	bytes_append_slice(out, *value);
	if (value_space)
		bytes_append_u8(out, '"');
	return 0;
}

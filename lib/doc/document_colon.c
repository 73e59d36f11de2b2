/* SPDX-License-Identifier: MulanPSL-2.0 */
#include "lib/doc/document_colon.h"

#include "lib/base/text.h"

/* The offset of the index-th character of UTF-8 text; its length when there are fewer. */
static size_t offset_of(struct slice text, size_t index)
{
	size_t n_characters = 0;

	for (size_t i = 0; i < text.len; i++) {
		if ((text.data[i] & 0xc0) == 0x80)
			continue;
		if (n_characters++ == index)
			return i;
	}
	return text.len;
}

/* Length of the address (with a /prefix or not) at the beginning of s; 0 when it is none. */
static size_t address_length(struct slice s)
{
	size_t n = 0;

	if (s.len < 2 || s.data[0] != ':' || s.data[1] != ':')
		return 0;
	while (n < s.len && (char_hex_value((char)s.data[n]) >= 0 || s.data[n] == ':' ||
	                     s.data[n] == '.' || s.data[n] == '/'))
		n++;
	if (n < s.len && !char_is_space((char)s.data[n]) && s.data[n] != ',' && s.data[n] != ']' &&
	    s.data[n] != '}')
		return 0;
	return s.data[n - 1] == ':' && n > 2 ? 0 : n;
}

bool document_colons_quote(struct document_colons *colons, struct buffer *text, size_t index,
                           size_t line, size_t column)
{
	struct slice was = buffer_slice(text);
	size_t offset = offset_of(was, index);
	struct slice rest = slice_sub(was, offset, was.len);
	size_t len = address_length(rest);
	struct buffer quoted = BUFFER_NULL;

	if (len == 0 || colons->n == DOCUMENT_COLONS_MAX)
		return false;
	buffer_append_slice(&quoted, slice_sub(was, 0, offset));
	buffer_append_text(&quoted, "'");
	buffer_append_slice(&quoted, slice_sub(rest, 0, len));
	buffer_append_text(&quoted, "'");
	buffer_append_slice(&quoted, slice_sub(rest, len, rest.len));
	buffer_deinit(text);
	*text = quoted;
	colons->at[colons->n].line = line;
	colons->at[colons->n].column = column;
	colons->n++;
	return !quoted.failed;
}

size_t document_colons_column(const struct document_colons *colons, size_t line, size_t column)
{
	size_t n_quotes = 0;

	for (size_t i = 0; i < colons->n; i++)
		if (colons->at[i].line == line && colons->at[i].column < column)
			n_quotes += 2;
	return column - n_quotes;
}

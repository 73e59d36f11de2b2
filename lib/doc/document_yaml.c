/* SPDX-License-Identifier: MulanPSL-2.0 */
/*
 * Writes a tree as YAML that both a YAML parser and a grep at column 0 read.
 */
#include "lib/base/buffer.h"
#include "lib/base/macro.h"
#include "lib/base/text.h"
#include "lib/doc/document.h"

#define KEY_PLAIN_MAX 250 /* escaped, a byte takes four characters at most */

/* Whether a text may stand bare and reads back as the same text. */
static bool is_bare_text(struct slice s)
{
	uint64_t number;

	if (s.len == 0 || text_parse_u64(s, UINT64_MAX, &number) == 0)
		return false;
	if (slice_has_prefix(s, SLICE_LITERAL("...")))
		return false; /* at column 0 it would end the document */
	if (text_equal(s, "true") || text_equal(s, "false") || text_equal(s, "null") ||
	    text_equal(s, "~"))
		return false;
	if (!char_is_alnum((char)s.data[0]) && s.data[0] != '/' && s.data[0] != '_' &&
	    s.data[0] != '.')
		return false;
	for (size_t i = 0; i < s.len; i++) {
		char c = (char)s.data[i];

		if (!char_is_alnum(c) && !strchr("._-/+=:@,", c) && !(c == ' ' && i + 1 < s.len))
			return false;
		if (c == ':' && (i + 1 == s.len || s.data[i + 1] == ' '))
			return false;
	}
	/* True, NULL and their like, and words that YAML 1.1 readers take for booleans */
	for (const char *const *w = (const char *const[]){ "true", "false", "null", "yes", "no",
	                                                   "on", "off", "y", "n", NULL };
	     *w; w++)
		if (slice_equal_nocase(s, slice_from_text(*w)))
			return false;
	return true;
}

/* Decodes the UTF-8 character at the beginning of s, which is valid as everything in a json_t is.
 */
static uint32_t first_character(struct slice s, size_t *ret_len)
{
	static const uint8_t lead_bits[] = { 0x7f, 0x7f, 0x1f, 0x0f, 0x07 };
	uint8_t lead = s.data[0];
	size_t len = lead < 0x80 ? 1 : lead < 0xe0 ? 2 : lead < 0xf0 ? 3 : 4;
	uint32_t c = lead & lead_bits[len];

	len = MIN(len, s.len);
	for (size_t i = 1; i < len; i++)
		c = c << 6 | (s.data[i] & 0x3f);
	*ret_len = len;
	return c;
}

/* What a YAML reader would take for the end of a line, or not at all (YAML 1.1, 4.1.1). */
static bool needs_number(uint32_t c)
{
	return c < 0x20 || (c >= 0x7f && c < 0xa0) || c == 0x2028 || c == 0x2029 || c == 0xfeff ||
	       c == 0xfffe || c == 0xffff;
}

static void write_text(struct buffer *out, struct slice s)
{

	if (is_bare_text(s)) {
		buffer_append_slice(out, s);
		return;
	}
	buffer_append_text(out, "\"");
	while (s.len > 0) {
		size_t len;
		uint32_t c = first_character(s, &len);
		struct slice bytes = slice_take(&s, len);

		if (c == '"' || c == '\\')
			buffer_printf(out, "\\%c", (char)c);
		else if (c == '\n')
			buffer_append_text(out, "\\n");
		else if (c == '\t')
			buffer_append_text(out, "\\t");
		else if (needs_number(c))
			buffer_printf(out, c < 0x100 ? "\\x%02x" : "\\u%04x", (unsigned)c);
		else
			buffer_append_slice(out, bytes);
	}
	buffer_append_text(out, "\"");
}

static void indent(struct buffer *out, unsigned depth)
{
	for (unsigned i = 0; i < depth; i++)
		buffer_append_text(out, "  ");
}

static void write_scalar(struct buffer *out, const json_t *value)
{
	switch (json_typeof(value)) {
	case JSON_STRING:
		write_text(out, slice_make(json_string_value(value), json_string_length(value)));
		return;
	case JSON_INTEGER:
		buffer_printf(out, "%lld", (long long)json_integer_value(value));
		return;
	case JSON_REAL:
		buffer_printf(out, "%.17g", json_real_value(value));
		return;
	case JSON_TRUE:
		buffer_append_text(out, "true");
		return;
	case JSON_FALSE:
		buffer_append_text(out, "false");
		return;
	case JSON_NULL:
		return; /* `key:` is how lkp writes it */
	case JSON_OBJECT:
		buffer_append_text(out, "{}");
		return;
	case JSON_ARRAY:
		buffer_append_text(out, "[]");
		return;
	}
}

static void write_node(struct buffer *out, const json_t *value, unsigned depth);

/* What stands behind `key:` or `-`: on the same line for a scalar, below for the others. */
static void write_child(struct buffer *out, const json_t *value, unsigned depth)
{
	if (json_object_size(value) > 0 || json_array_size(value) > 0) {
		buffer_append_text(out, "\n");
		write_node(out, value, depth);
		return;
	}
	if (!json_is_null(value))
		buffer_append_text(out, " ");
	write_scalar(out, value);
	buffer_append_text(out, "\n");
}

/* `key:`; a reader looks for the colon within 1024 characters only (YAML 1.1, 9.2.3). */
static void write_key(struct buffer *out, struct slice key, unsigned depth)
{
	bool is_long = key.len > KEY_PLAIN_MAX;

	if (is_long)
		buffer_append_text(out, "? ");
	write_text(out, key);
	if (is_long) {
		buffer_append_text(out, "\n");
		indent(out, depth);
	}
	buffer_append_text(out, ":");
}

static void write_node(struct buffer *out, const json_t *value, unsigned depth)
{
	const char *key;
	json_t *member;
	size_t i;

	if (json_is_object(value)) {
		json_object_foreach((json_t *)value, key, member)
		{
			indent(out, depth);
			write_key(out, slice_from_text(key), depth);
			write_child(out, member, depth + 1);
		}
	} else if (json_is_array(value)) {
		json_array_foreach(value, i, member)
		{
			indent(out, depth);
			buffer_append_text(out, "-");
			write_child(out, member, depth + 1);
		}
	}
}

void document_write_yaml(struct buffer *out, const json_t *root)
{
	if (json_object_size(root) == 0 && json_array_size(root) == 0) {
		if (json_is_null(root))
			buffer_append_text(out, "~");
		write_scalar(out, root);
		buffer_append_text(out, "\n");
		return;
	}
	write_node(out, root, 0);
}

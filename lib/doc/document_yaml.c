/* SPDX-License-Identifier: MulanPSL-2.0 */
/*
 * Writes a tree as YAML that both a YAML parser and a grep at column 0 read.
 */
#include "lib/base/buffer.h"
#include "lib/base/text.h"
#include "lib/doc/document.h"

/* Whether a text may stand bare and reads back as the same text. */
static bool is_bare_text(struct slice s)
{
	uint64_t number;

	if (s.len == 0 || text_parse_u64(s, UINT64_MAX, &number) == 0)
		return false;
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

static void write_text(struct buffer *out, struct slice s)
{
	static const char digits[] = "0123456789abcdef";

	if (is_bare_text(s)) {
		buffer_append_slice(out, s);
		return;
	}
	buffer_append_text(out, "\"");
	for (size_t i = 0; i < s.len; i++) {
		uint8_t c = s.data[i];

		if (c == '"' || c == '\\')
			buffer_printf(out, "\\%c", c);
		else if (c == '\n')
			buffer_append_text(out, "\\n");
		else if (c == '\t')
			buffer_append_text(out, "\\t");
		else if (c < 0x20 || c == 0x7f)
			buffer_printf(out, "\\x%c%c", digits[c >> 4], digits[c & 15]);
		else
			buffer_append(out, &c, 1);
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

static void write_node(struct buffer *out, const json_t *value, unsigned depth)
{
	const char *key;
	json_t *member;
	size_t i;

	if (json_is_object(value)) {
		json_object_foreach((json_t *)value, key, member)
		{
			indent(out, depth);
			write_text(out, slice_from_text(key));
			buffer_append_text(out, ":");
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
		write_scalar(out, root);
		buffer_append_text(out, "\n");
		return;
	}
	write_node(out, root, 0);
}

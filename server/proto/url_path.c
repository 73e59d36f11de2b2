/* SPDX-License-Identifier: MulanPSL-2.0 */
/*
 * One pass decodes, a second one checks components and folds slashes. The two are apart so that no
 * byte is looked at before it has its final value.
 */
#include "server/proto/url_path.h"

#include "lib/base/macro.h"
#include "lib/base/table.h"
#include "lib/base/text.h"

static const char *const outcome_names[_URL_PATH_OUTCOME_MAX] = {
	[URL_PATH_OK] = "ok",
	[URL_PATH_NOT_ABSOLUTE] = "not_absolute",
	[URL_PATH_BAD_ESCAPE] = "bad_escape",
	[URL_PATH_PARENT] = "parent",
	[URL_PATH_NUL] = "nul",
	[URL_PATH_BACKSLASH] = "backslash",
	[URL_PATH_CONTROL] = "control",
	[URL_PATH_TRICK] = "trick",
	[URL_PATH_TOO_LONG] = "too_long",
};

const char *url_path_outcome_to_name(int value)
{
	const char *name = table_name(outcome_names, ARRAY_SIZE(outcome_names), value);

	return name ? name : "?";
}

/* Value of the escape %HH at the front of s, or -1 when there is none. */
static int escape_value(struct slice s)
{
	int high, low;

	if (s.len < 3 || s.data[0] != '%')
		return -1;
	high = char_hex_value((char)s.data[1]);
	low = char_hex_value((char)s.data[2]);
	return high < 0 || low < 0 ? -1 : high << 4 | low;
}

static int decode(struct slice raw, struct bytes *out)
{
	while (raw.len > 0) {
		size_t n = 1;
		int value = raw.data[0];

		if (value == '%') {
			value = escape_value(raw);
			if (value < 0)
				return URL_PATH_BAD_ESCAPE;
			n = 3;
		}
		bytes_append_u8(out, (uint8_t)value);
		(void)slice_take(&raw, n);
	}
	return out->overflow ? URL_PATH_TOO_LONG : URL_PATH_OK;
}

/* Checks the bytes of one component. rest begins with it and may go on behind it. */
static int check_byte(struct slice rest)
{
	uint8_t c = rest.data[0];
	int escaped;

	if (c == 0)
		return URL_PATH_NUL;
	if (c < 0x20 || c == 0x7f)
		return URL_PATH_CONTROL;
	if (c == '\\')
		return URL_PATH_BACKSLASH;
	if (c == 0xc0 || c == 0xc1)
		return URL_PATH_TRICK;
	escaped = escape_value(rest);
	if (escaped == '.' || escaped == '/' || escaped == '\\' || escaped == '%' || escaped == 0)
		return URL_PATH_TRICK;
	return URL_PATH_OK;
}

static int check_bytes(struct slice path)
{
	for (size_t i = 0; i < path.len; i++) {
		int r = check_byte(slice_sub(path, i, path.len));

		if (r != URL_PATH_OK)
			return r;
	}
	return URL_PATH_OK;
}

/* Appends '/' and each component that counts; a slash or a "." at the end leaves a slash. */
static int fold(struct slice path, struct bytes *out)
{
	bool ends_open = path.len == 0;

	while (path.len > 0) {
		struct slice rest = path, part = slice_cut(&rest, '/');
		bool is_cut = part.len < path.len;

		path = rest;
		if (text_equal(part, ".."))
			return URL_PATH_PARENT;
		ends_open = is_cut;
		if (part.len == 0 || text_equal(part, ".")) {
			ends_open = true;
			continue;
		}
		bytes_append_u8(out, '/');
		bytes_append_slice(out, part);
	}
	if (ends_open)
		bytes_append_u8(out, '/');
	return out->overflow ? URL_PATH_TOO_LONG : URL_PATH_OK;
}

int url_path_fold(struct slice name, struct bytes *out)
{
	size_t before = out->len;
	int r;

	if (name.len > URL_PATH_MAX || out->overflow)
		return URL_PATH_TOO_LONG;
	r = check_bytes(name);
	if (r == URL_PATH_OK)
		r = fold(name, out);
	if (r != URL_PATH_OK) {
		out->len = before;
		out->overflow = false;
	}
	return r;
}

int url_path_decode(struct slice raw, struct bytes *out)
{
	uint8_t decoded[URL_PATH_MAX];
	struct bytes plain = BYTES_ON(decoded);
	int r = decode(raw, &plain);

	if (r != URL_PATH_OK)
		return r;
	if (plain.len == 0 || plain.data[0] != '/')
		return URL_PATH_NOT_ABSOLUTE;
	return url_path_fold(bytes_slice(&plain), out);
}

bool url_path_below(struct slice path, struct slice prefix, struct slice *ret_rest)
{
	struct slice rest;

	while (prefix.len > 0 && prefix.data[prefix.len - 1] == '/')
		prefix.len--;
	if (!slice_has_prefix(path, prefix))
		return false;
	rest = slice_sub(path, prefix.len, path.len);
	if (rest.len > 0 && rest.data[0] != '/')
		return false;
	while (rest.len > 0 && rest.data[0] == '/')
		(void)slice_take(&rest, 1);
	*ret_rest = rest;
	return true;
}

/* What follows "scheme://authority", or target itself when it does not begin with one. */
static struct slice skip_origin(struct slice target)
{
	size_t colon = slice_find(target, ':', 0);
	struct slice rest = slice_sub(target, colon, target.len);
	size_t i;

	if (target.len == 0 || !char_is_alpha((char)target.data[0]) ||
	    !slice_has_prefix(rest, SLICE_LITERAL("://")))
		return target;
	for (i = 0; i < colon; i++) /* scheme: RFC 3986 section 3.1 */
		if (!char_is_alnum((char)target.data[i]) && !memchr("+-.", target.data[i], 3))
			return target;
	(void)slice_take(&rest, 3);
	for (i = 0; i < rest.len; i++)
		if (rest.data[i] == '/' || rest.data[i] == '?')
			break;
	return slice_sub(rest, i, rest.len);
}

void url_split_target(struct slice target, struct slice *ret_path, struct slice *ret_query)
{
	struct slice plain = slice_cut(&target, '#');
	struct slice rest = skip_origin(plain);
	struct slice path = slice_cut(&rest, '?');

	if (path.len == 0 && plain.len > 0 && plain.data[0] != '?')
		path = SLICE_LITERAL("/");
	*ret_path = path;
	*ret_query = rest;
}

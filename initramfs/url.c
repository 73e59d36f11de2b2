/* SPDX-License-Identifier: MulanPSL-2.0 */
#include "initramfs/url.h"

#include "lib/base/text.h"

/* What may stand in a request line and a header: no space, no control character, ASCII. */
static bool is_clean(struct slice s)
{
	for (size_t i = 0; i < s.len; i++)
		if (s.data[i] <= 0x20 || s.data[i] >= 0x7f)
			return false;
	return true;
}

static int split_scheme(struct slice *rest, struct url *url)
{
	static const struct slice http = SLICE_LITERAL("http://"),
				  https = SLICE_LITERAL("https://");

	if (slice_equal_nocase(slice_sub(*rest, 0, https.len), https))
		url->is_https = true;
	else if (!slice_equal_nocase(slice_sub(*rest, 0, http.len), http))
		return URL_SCHEME;
	(void)slice_take(rest, url->is_https ? https.len : http.len);
	return 0;
}

/* "[::1]:80", "host:80", "host" */
static int split_authority(struct slice authority, struct url *url)
{
	struct slice rest = authority;
	uint64_t port = url->is_https ? 443 : 80;

	if (slice_find(authority, '@', 0) < authority.len)
		return URL_BAD;
	if (rest.len > 0 && rest.data[0] == '[') {
		size_t end = slice_find(rest, ']', 0);

		if (end == rest.len)
			return URL_BAD;
		url->host = slice_sub(rest, 1, end - 1);
		rest = slice_sub(rest, end + 1, rest.len);
		if (rest.len > 0 && rest.data[0] != ':')
			return URL_BAD;
		(void)slice_cut(&rest, ':');
	} else {
		url->host = slice_cut(&rest, ':');
	}
	if (url->host.len == 0 || url->host.len > 255)
		return URL_BAD;
	if (rest.len > 0 && (text_parse_u64(rest, UINT16_MAX, &port) != 0 || port == 0))
		return URL_BAD;
	url->authority = authority;
	url->port = (uint16_t)port;
	return 0;
}

int url_split(struct slice text, struct url *ret)
{
	struct url url = { .is_https = false };
	size_t end;
	int r;

	text = slice_sub(text, 0, slice_find(text, '#', 0));
	r = split_scheme(&text, &url);
	if (r != 0)
		return r;
	if (!is_clean(text) || text.len > URL_TEXT_MAX)
		return URL_BAD;
	end = slice_find(text, '/', 0);
	if (slice_find(text, '?', 0) < end)
		end = slice_find(text, '?', 0);
	r = split_authority(slice_sub(text, 0, end), &url);
	if (r != 0)
		return r;
	url.target = slice_sub(text, end, text.len);
	*ret = url;
	return 0;
}

/* Whether a scheme and a colon come before anything else (RFC 3986 section 3.1). */
static bool has_scheme(struct slice s)
{
	size_t i = 0;

	while (i < s.len && (char_is_alnum((char)s.data[i]) || s.data[i] == '+' ||
	                     s.data[i] == '-' || s.data[i] == '.'))
		i++;
	return i > 0 && i < s.len && s.data[i] == ':';
}

/* The part of a target that a relative reference is put behind: up to its last slash. */
static struct slice directory_of(struct slice target)
{
	struct slice path = slice_sub(target, 0, slice_find(target, '?', 0));

	while (path.len > 0 && path.data[path.len - 1] != '/')
		path.len--;
	return path.len > 0 ? path : SLICE_LITERAL("/");
}

int url_resolve(const struct url *base, struct slice location, struct bytes *out)
{
	location = text_trim(location);
	if (location.len == 0 || !is_clean(location))
		return URL_BAD;
	if (has_scheme(location)) {
		bytes_append_slice(out, location);
		return out->overflow ? URL_TOO_LONG : 0;
	}
	bytes_append_text(out, base->is_https ? "https:" : "http:");
	if (!slice_has_prefix(location, SLICE_LITERAL("//"))) {
		bytes_append_text(out, "//");
		bytes_append_slice(out, base->authority);
		if (location.data[0] == '?')
			bytes_append_slice(
				out, slice_sub(base->target, 0, slice_find(base->target, '?', 0)));
		else if (location.data[0] != '/')
			bytes_append_slice(out, directory_of(base->target));
	}
	bytes_append_slice(out, location);
	return out->overflow ? URL_TOO_LONG : 0;
}

bool url_is_numeric(const struct url *url)
{
	for (size_t i = 0; i < url->host.len; i++)
		if (!char_is_digit((char)url->host.data[i]) && url->host.data[i] != '.')
			return slice_find(url->host, ':', 0) < url->host.len;
	return true;
}

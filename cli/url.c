/* SPDX-License-Identifier: MulanPSL-2.0 */
#include "cli/url.h"

#include <stdio.h>
#include <string.h>

#include "lib/base/text.h"

#define HTTP  "http://"
#define HTTPS "https://"

/* The part between the scheme and the path: host and port. */
static struct slice authority_of(struct slice url)
{
	size_t mark = slice_find(url, ':', 0);

	if (slice_has_prefix(slice_sub(url, mark, 3), SLICE_LITERAL("://")))
		url = slice_sub(url, mark + 3, url.len);
	return slice_cut(&url, '/');
}

/* Whether host:port ends in a port; an IPv6 address in brackets has colons of its own. */
static bool has_port(struct slice authority)
{
	while (authority.len > 0 && char_is_digit((char)authority.data[authority.len - 1]))
		authority.len--;
	return authority.len > 0 && authority.data[authority.len - 1] == ':';
}

int url_normalise(const char *text, char ret[URL_MAX])
{
	struct slice s = slice_from_text(text);
	bool has_scheme = slice_has_prefix(s, SLICE_LITERAL(HTTP)) ||
	                  slice_has_prefix(s, SLICE_LITERAL(HTTPS));
	const char *port = "";
	struct slice authority;
	int n;

	if (!has_scheme && strstr(text, "://"))
		return URL_BAD;
	for (size_t i = 0; i < s.len; i++)
		if (s.data[i] <= ' ' || s.data[i] == 0x7f || strchr("?#", s.data[i]))
			return URL_BAD;
	authority = authority_of(s);
	if (authority.len == 0 || authority.data[0] == ':')
		return URL_BAD;
	while (s.len > 0 && s.data[s.len - 1] == '/')
		s.len--;
	if (!has_scheme && !has_port(authority) && authority.len == s.len)
		port = ":" URL_PORT_DEFAULT;
	n = snprintf(ret, URL_MAX, "%s%.*s%s", has_scheme ? "" : HTTP, (int)s.len,
	             (const char *)s.data, port);
	return n < 0 || n >= URL_MAX ? URL_BAD : 0;
}

bool url_is_loopback(const char *base)
{
	struct slice host = authority_of(slice_from_text(base));

	if (slice_has_prefix(host, SLICE_LITERAL("[::1]")))
		return true;
	host = slice_cut(&host, ':');
	return text_equal(host, "localhost") || slice_has_prefix(host, SLICE_LITERAL("127."));
}

static void append_escaped(struct buffer *out, struct slice s, const char *kept)
{
	static const char digits[] = "0123456789ABCDEF";

	for (size_t i = 0; i < s.len; i++) {
		char c = (char)s.data[i];

		if (char_is_alnum(c) || (c != '\0' && strchr(kept, c)))
			buffer_append(out, &c, 1);
		else
			buffer_printf(out, "%%%c%c", digits[s.data[i] >> 4],
			              digits[s.data[i] & 15]);
	}
}

void url_append_component(struct buffer *out, struct slice component)
{
	append_escaped(out, component, "-._~");
}

void url_append_path(struct buffer *out, struct slice path)
{
	append_escaped(out, path, "-._~/");
}

struct slice url_job_id(const char *text)
{
	const char *mark = strstr(text, "jobs/");
	struct slice rest = slice_from_text(mark ? mark + strlen("jobs/") : text);

	return mark ? slice_cut(&rest, '/') : rest;
}

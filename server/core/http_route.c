/* SPDX-License-Identifier: MulanPSL-2.0 */
#include "server/core/http_route.h"

#include "lib/format/netaddr.h"
#include "server/proto/url_path.h"

/* /v1/attempts/ID/files/NAME */
static bool is_attempt_file(struct slice path)
{
	struct slice rest;

	if (!url_path_below(path, SLICE_LITERAL("/v1/attempts"), &rest))
		return false;
	(void)slice_cut(&rest, '/'); /* ID */
	return slice_has_prefix(rest, SLICE_LITERAL("files/"));
}

static bool is_in_root(const struct http_route *route, struct slice path)
{
	struct slice rest;

	if (url_path_below(path, SLICE_LITERAL("/result"), &rest))
		return true;
	for (size_t i = 0; i < route->n_roots; i++)
		if (url_path_below(path, slice_from_text(route->roots[i]), &rest))
			return true;
	return false;
}

enum http_place http_route_place(const struct http_route *route, enum http_method method,
                                 struct slice path)
{
	bool is_write = method == HTTP_METHOD_PUT || method == HTTP_METHOD_MKCOL;

	if (is_attempt_file(path) && (is_write || method == HTTP_METHOD_HEAD))
		return HTTP_PLACE_UPLOAD;
	if (!is_in_root(route, path))
		return HTTP_PLACE_API;
	return is_write ? HTTP_PLACE_UPLOAD : HTTP_PLACE_FILES;
}

static uint16_t port_of(const struct http_route *route, enum http_place place, struct slice path)
{
	struct slice rest;

	switch (place) {
	case HTTP_PLACE_API:
		return route->api_port;
	case HTTP_PLACE_UPLOAD:
		return route->upload_port;
	case HTTP_PLACE_FILES:
		break;
	}
	return url_path_below(path, SLICE_LITERAL("/os"), &rest) ? route->os_port
	                                                         : route->files_port;
}

/* Without a port at the end; the colons of [::1] are no port. */
static struct slice host_name(struct slice host)
{
	for (size_t i = host.len; i > 0 && host.data[i - 1] != ']'; i--)
		if (host.data[i - 1] == ':')
			return slice_sub(host, 0, i - 1);
	return host;
}

void http_route_location(const struct http_route *route, enum http_place place, struct slice path,
                         const struct http_request *request, uint32_t local, struct bytes *out)
{
	struct slice host = host_name(request->header[HTTP_HEADER_HOST]);
	char address[IPV4_TEXT_MAX];

	if (host.len == 0)
		host = slice_from_text(ipv4_format(local, address));
	bytes_append_text(out, "http://");
	bytes_append_slice(out, host);
	bytes_printf(out, ":%u", port_of(route, place, path));
	bytes_append_slice(out, request->path);
	if (request->query.len > 0) {
		bytes_append_u8(out, '?');
		bytes_append_slice(out, request->query);
	}
}

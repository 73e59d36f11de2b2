/* SPDX-License-Identifier: MulanPSL-2.0 */
#include "server/io/http_request_path.h"

#define URL_MAX 2048

static void answer_bad(struct http_socket *socket, int outcome)
{
	http_socket_answer_problem(socket, outcome == URL_PATH_TOO_LONG ? 414 : 400,
	                           url_path_outcome_to_name(outcome), SLICE_NULL);
}

static void redirect(struct http_socket *socket, const struct http_route *route,
                     enum http_place place, struct slice path)
{
	char headers_room[URL_MAX + 32], url_room[URL_MAX];
	struct bytes headers = BYTES_ON(headers_room), url = BYTES_ON(url_room);

	http_route_location(route, place, path, http_socket_request(socket),
	                    http_socket_local(socket), &url);
	bytes_append_text(&headers, "Location: ");
	bytes_append_slice(&headers, bytes_slice(&url));
	bytes_append_text(&headers, "\r\n");
	if (url.overflow || headers.overflow)
		answer_bad(socket, URL_PATH_TOO_LONG);
	else
		http_socket_answer_problem(socket, 307, "this path is served on another port",
		                           bytes_slice(&headers));
}

enum http_path_outcome http_request_path(struct http_socket *socket, const struct http_route *route,
                                         enum http_place ours, struct bytes *path,
                                         int *ret_url_outcome)
{
	const struct http_request *request = http_socket_request(socket);
	enum http_place place;

	*ret_url_outcome = url_path_decode(request->path, path);
	if (*ret_url_outcome != URL_PATH_OK) {
		answer_bad(socket, *ret_url_outcome);
		return HTTP_PATH_BAD;
	}
	place = http_route_place(route, request->method, bytes_slice(path));
	if (place == ours)
		return HTTP_PATH_OURS;
	redirect(socket, route, place, bytes_slice(path));
	return HTTP_PATH_ELSEWHERE;
}

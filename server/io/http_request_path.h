/* SPDX-License-Identifier: MulanPSL-2.0 */
/*
 * What every HTTP port of ours does with a request first: decode and check its path, and send it
 * elsewhere when it belongs to another port.
 */
#pragma once

#include <stdbool.h>

#include "server/core/http_route.h"
#include "server/io/http_server.h"
#include "server/proto/url_path.h"

enum http_path_outcome {
	HTTP_PATH_OURS = 0,
	HTTP_PATH_BAD = 1,       /* refused; *ret_url_outcome says why */
	HTTP_PATH_ELSEWHERE = 2, /* answered 307 */
};

/*
 * Appends the decoded path of the request at hand to `path`. Unless it is ours the request has been
 * answered.
 */
enum http_path_outcome http_request_path(struct http_socket *socket, const struct http_route *route,
                                         enum http_place ours, struct bytes *path,
                                         int *ret_url_outcome);

/* SPDX-License-Identifier: MulanPSL-2.0 */
/*
 * Which of our ports a request belongs to. Every listener asks this, so that a path asked on the
 * wrong port is answered 307 to the right one and never served by two.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "lib/base/bytes.h"
#include "server/proto/http_request.h"

enum http_place {
	HTTP_PLACE_API,    /* boot scripts, scheduler, API, job.cgz: the main process */
	HTTP_PLACE_FILES,  /* GET of the file roots and of /result: a worker */
	HTTP_PLACE_UPLOAD, /* PUT, MKCOL of results, and HEAD of an upload: a worker */
};

#define HTTP_ROUTE_ROOTS_MAX 16
#define HTTP_ROUTE_NAME_MAX  64

struct http_route {
	char roots[HTTP_ROUTE_ROOTS_MAX]
		  [HTTP_ROUTE_NAME_MAX]; /* "/os" and so on, without /result */
	size_t n_roots;
	uint16_t api_port;   /* the port URLs of that place name */
	uint16_t os_port;    /* for /os */
	uint16_t files_port; /* for the other roots and /result */
	uint16_t upload_port;
};

/* The place of a request; path is decoded and checked by url_path. */
enum http_place http_route_place(const struct http_route *route, enum http_method method,
                                 struct slice path);

/*
 * Appends the URL of the same request on the port of that place: host as the client wrote it
 * (without its port; `local`, our address, when it wrote none), its raw path and query.
 * Nothing but overflow can go wrong.
 */
void http_route_location(const struct http_route *route, enum http_place place, struct slice path,
                         const struct http_request *request, uint32_t local, struct bytes *out);

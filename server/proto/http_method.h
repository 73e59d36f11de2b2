/* SPDX-License-Identifier: MulanPSL-2.0 */
/*
 * Methods of HTTP that ccid knows (RFC 9110 section 9, RFC 4918 for MKCOL). Every other one is 501.
 */
#pragma once

#include "lib/base/bytes.h"

enum http_method {
	HTTP_METHOD_GET,
	HTTP_METHOD_HEAD,
	HTTP_METHOD_POST,
	HTTP_METHOD_PUT,
	HTTP_METHOD_DELETE,
	HTTP_METHOD_MKCOL,
	HTTP_METHOD_OPTIONS,
	_HTTP_METHOD_MAX,
};

/* "GET" and so on; "?" for a number that is none. */
const char *http_method_to_name(int value);

/* The method of that exact name, or -1. */
int http_method_from_name(struct slice name);

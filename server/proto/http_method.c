/* SPDX-License-Identifier: MulanPSL-2.0 */
#include "server/proto/http_method.h"

#include "lib/base/macro.h"
#include "lib/base/table.h"

static const char *const names[_HTTP_METHOD_MAX] = {
	[HTTP_METHOD_GET] = "GET",         [HTTP_METHOD_HEAD] = "HEAD",
	[HTTP_METHOD_POST] = "POST",       [HTTP_METHOD_PUT] = "PUT",
	[HTTP_METHOD_DELETE] = "DELETE",   [HTTP_METHOD_MKCOL] = "MKCOL",
	[HTTP_METHOD_OPTIONS] = "OPTIONS",
};

DEFINE_NAME_TABLE(http_method, names);

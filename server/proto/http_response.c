/* SPDX-License-Identifier: MulanPSL-2.0 */
#include "server/proto/http_response.h"

#include <inttypes.h>
#include <stdio.h>

#include "lib/base/macro.h"
#include "server/proto/http_date.h"

static const struct {
	unsigned status;
	const char *reason;
} reasons[] = {
	{ 100, "Continue" },
	{ 200, "OK" },
	{ 201, "Created" },
	{ 202, "Accepted" },
	{ 204, "No Content" },
	{ 206, "Partial Content" },
	{ 301, "Moved Permanently" },
	{ 302, "Found" },
	{ 303, "See Other" },
	{ 304, "Not Modified" },
	{ 307, "Temporary Redirect" },
	{ 308, "Permanent Redirect" },
	{ 400, "Bad Request" },
	{ 401, "Unauthorized" },
	{ 403, "Forbidden" },
	{ 404, "Not Found" },
	{ 405, "Method Not Allowed" },
	{ 406, "Not Acceptable" },
	{ 408, "Request Timeout" },
	{ 409, "Conflict" },
	{ 410, "Gone" },
	{ 411, "Length Required" },
	{ 412, "Precondition Failed" },
	{ 413, "Content Too Large" },
	{ 414, "URI Too Long" },
	{ 415, "Unsupported Media Type" },
	{ 416, "Range Not Satisfiable" },
	{ 417, "Expectation Failed" },
	{ 422, "Unprocessable Content" },
	{ 423, "Locked" },
	{ 428, "Precondition Required" },
	{ 429, "Too Many Requests" },
	{ 431, "Request Header Fields Too Large" },
	{ 500, "Internal Server Error" },
	{ 501, "Not Implemented" },
	{ 503, "Service Unavailable" },
	{ 505, "HTTP Version Not Supported" },
	{ 507, "Insufficient Storage" },
};

const char *http_status_reason(unsigned status)
{
	for (size_t i = 0; i < ARRAY_SIZE(reasons); i++)
		if (reasons[i].status == status)
			return reasons[i].reason;
	return "Unknown";
}

bool http_status_is_bodiless(unsigned status)
{
	return status < 200 || status == 204 || status == 304;
}

static bool is_clean(const char *value)
{
	for (const char *p = value; *p; p++)
		if (((unsigned char)*p < ' ' && *p != '\t') || *p == 0x7f)
			return false;
	return true;
}

void http_response_header(struct bytes *out, const char *name, const char *value)
{
	if (!value || !*value)
		return;
	if (!is_clean(value)) {
		out->overflow = true;
		return;
	}
	bytes_printf(out, "%s: %s\r\n", name, value);
}

void http_response_header_number(struct bytes *out, const char *name, uint64_t value)
{
	bytes_printf(out, "%s: %" PRIu64 "\r\n", name, value);
}

void http_response_content_range(struct bytes *out, int64_t first, int64_t last, int64_t size)
{
	if (last < first)
		bytes_printf(out, "Content-Range: bytes */%" PRIi64 "\r\n", size);
	else
		bytes_printf(out, "Content-Range: bytes %" PRIi64 "-%" PRIi64 "/%" PRIi64 "\r\n",
		             first, last, size);
}

static void build_framing(struct buffer *out, const struct http_response *response)
{
	switch (response->framing) {
	case HTTP_FRAMING_LENGTH:
		buffer_printf(out, "Content-Length: %" PRIi64 "\r\n", response->length);
		break;
	case HTTP_FRAMING_CHUNKED:
		buffer_append_text(out, "Transfer-Encoding: chunked\r\n");
		break;
	case HTTP_FRAMING_CLOSE:
	case HTTP_FRAMING_NONE:
		break;
	}
	if (response->is_close || response->framing == HTTP_FRAMING_CLOSE)
		buffer_append_text(out, "Connection: close\r\n");
	else if (response->is_keep_alive)
		buffer_append_text(out, "Connection: keep-alive\r\n");
}

void http_response_build(struct buffer *out, const struct http_response *response, usec_t wall)
{
	char date[HTTP_DATE_MAX];

	buffer_printf(out, "HTTP/1.1 %u %s\r\nDate: %s\r\n", response->status,
	              http_status_reason(response->status),
	              http_date_format((int64_t)(wall / USEC_PER_SEC), date));
	if (response->content_type)
		buffer_printf(out, "Content-Type: %s\r\n", response->content_type);
	buffer_append_slice(out, response->headers);
	build_framing(out, response);
	buffer_append_text(out, "\r\n");
}

/* Text as the inside of a JSON string; a byte that is not ASCII becomes '?', as it may not be
 * UTF-8. */
static void append_json_text(struct buffer *out, const char *text)
{
	for (const unsigned char *p = (const unsigned char *)text; *p; p++) {
		if (*p == '"' || *p == '\\')
			buffer_printf(out, "\\%c", *p);
		else if (*p < ' ' || *p == 0x7f)
			buffer_printf(out, "\\u%04x", *p);
		else
			buffer_printf(out, "%c", *p < 0x80 ? *p : '?');
	}
}

void http_problem_build(struct buffer *out, unsigned status, const char *detail)
{
	buffer_printf(out, "{\"type\":\"about:blank\",\"title\":\"%s\",\"status\":%u",
	              http_status_reason(status), status);
	if (detail && *detail) {
		buffer_append_text(out, ",\"detail\":\"");
		append_json_text(out, detail);
		buffer_append_text(out, "\"");
	}
	buffer_append_text(out, "}\n");
}

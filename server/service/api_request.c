/* SPDX-License-Identifier: MulanPSL-2.0 */
#include "server/service/api_request.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "lib/base/macro.h"
#include "lib/base/text.h"
#include "server/proto/url_query.h"
#include "server/store/job_store.h"

int api_send_json(struct api_request *rq, unsigned status, json_t *doc)
{
	char *text = doc ? json_dumps(doc, JSON_COMPACT | JSON_ENCODE_ANY) : NULL;

	json_decref(doc);
	if (!text)
		return -ENOMEM;
	rq->answer->status = status;
	rq->answer->content_type = status >= 400 ? "application/problem+json" : "application/json";
	buffer_append_text(&rq->answer->body, text);
	buffer_append_text(&rq->answer->body, "\n");
	free(text);
	return buffer_error(&rq->answer->body);
}

int api_send_text(struct api_request *rq, unsigned status, const char *text)
{
	rq->answer->status = status;
	rq->answer->content_type = "text/plain; charset=utf-8";
	buffer_append_text(&rq->answer->body, text);
	return buffer_error(&rq->answer->body);
}

const char *api_status_phrase(unsigned status)
{
	static const struct {
		unsigned status;
		const char *phrase;
	} phrases[] = {
		{ 400, "Bad Request" },   { 401, "Unauthorized" },
		{ 403, "Forbidden" },     { 404, "Not Found" },
		{ 405, "Not Allowed" },   { 409, "Conflict" },
		{ 410, "Gone" },          { 413, "Content Too Large" },
		{ 422, "Unprocessable" }, { 503, "Service Unavailable" },
	};

	for (size_t i = 0; i < ARRAY_SIZE(phrases); i++)
		if (phrases[i].status == status)
			return phrases[i].phrase;
	return "Error";
}

int api_problem(struct api_request *rq, unsigned status, const char *field, const char *format, ...)
{
	char detail[512];
	va_list args;

	va_start(args, format);
	(void)vsnprintf(detail, sizeof(detail), format, args); /* cut is readable */
	va_end(args);
	rq->s->n_refused++;
	rq->s->n_foreign += status == 403;
	return api_send_json(rq, status,
	                     json_pack("{s:s, s:s, s:i, s:s, s:s*}", "type", "about:blank", "title",
	                               api_status_phrase(status), "status", (int)status, "detail",
	                               detail, "field", field));
}

static bool find_value(struct slice pairs, const char *key, char *to, size_t size)
{
	struct bytes out = { .data = (uint8_t *)to, .cap = size - 1 };

	to[0] = '\0';
	if (url_query_find(pairs, key, &out) != 0 || out.len == 0 ||
	    memchr(to, '\0', out.len) != NULL) {
		to[0] = '\0';
		return false;
	}
	to[out.len] = '\0';
	return true;
}

bool api_query(const struct api_request *rq, const char *key, char *to, size_t size)
{
	return find_value(rq->call->query, key, to, size);
}

bool api_form(const struct api_request *rq, const char *key, char *to, size_t size)
{
	return find_value(rq->call->body, key, to, size);
}

uint64_t api_query_u64(const struct api_request *rq, const char *key, uint64_t max,
                       uint64_t fallback)
{
	char text[32];
	uint64_t value;

	if (!api_query(rq, key, text, sizeof(text)) ||
	    text_parse_u64(slice_from_text(text), max, &value) != 0)
		return fallback;
	return value;
}

struct slice api_bearer(const struct api_request *rq)
{
	const struct slice scheme = SLICE_LITERAL("Bearer ");
	struct slice header = rq->call->authorization;

	if (!slice_equal_nocase(slice_sub(header, 0, scheme.len), scheme))
		return SLICE_NULL;
	return text_trim(slice_sub(header, scheme.len, header.len));
}

int api_find_job(struct api_request *rq, struct slice id, struct job_record *ret)
{
	char text[JOB_ID_TEXT_MAX];
	int64_t number;
	int r;

	if (services_parse_job_id(rq->s, id, &number) != 0)
		r = JOB_STORE_ABSENT;
	else
		r = job_store_find(rq->s->db, number, ret);
	if (r <= 0)
		return r;
	r = api_problem(rq, 404, NULL, "there is no job %s", text_escape(text, sizeof(text), id));
	return r < 0 ? r : 1;
}

const char *api_base_url(const struct api_request *rq, uint16_t port, char to[64])
{
	char address[IPV4_TEXT_MAX];

	(void)snprintf(to, 64, "http://%s:%u", ipv4_format(rq->call->local, address), port);
	return to;
}

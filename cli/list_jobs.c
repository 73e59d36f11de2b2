/* SPDX-License-Identifier: MulanPSL-2.0 */
#include "cli/list_jobs.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "cli/field.h"
#include "cli/url.h"
#include "lib/base/macro.h"
#include "lib/base/text.h"

#define PAGE_MAX 200

static void append_query(struct buffer *path, const char *key, const char *value)
{
	buffer_printf(path, "&%s=", key);
	url_append_component(path, slice_from_text(value));
}

/* The cursor of the next page, a number or a text. Returns false on the last page. */
static bool append_cursor(struct buffer *path, const json_t *cursor)
{
	if (json_is_integer(cursor))
		buffer_printf(path, "&after=%lld", (long long)json_integer_value(cursor));
	else if (json_is_string(cursor))
		append_query(path, "after", json_string_value(cursor));
	else
		return false;
	return true;
}

int list_jobs(struct cci *cci, const char *state, const char *host, size_t limit, json_t *jobs)
{
	CLEANUP(buffer_deinit) struct buffer path = BUFFER_NULL;
	size_t base_len, wanted = json_array_size(jobs) + limit;

	buffer_printf(&path, "/v1/jobs?limit=%zu", MIN(limit, (size_t)PAGE_MAX));
	if (state)
		append_query(&path, "state", state);
	if (host)
		append_query(&path, "host", host);
	base_len = path.len;
	for (bool has_more = true; has_more && json_array_size(jobs) < wanted;) {
		CLEANUP(json_decrefp) json_t *page = NULL;
		size_t before = json_array_size(jobs);
		int status = buffer_error(&path) < 0
		                     ? cci_trouble("jobs", -ENOMEM)
		                     : cci_get_json(cci, "jobs", (const char *)path.data, &page);

		if (status != CCI_EXIT_PASS)
			return status;
		(void)json_array_extend(jobs, json_object_get(page, "jobs"));
		path.len = base_len;
		has_more = append_cursor(&path, json_object_get(page, "next")) &&
		           json_array_size(jobs) > before;
	}
	return CCI_EXIT_PASS;
}

/* The number behind the last dot of an id; 0 for another kind of id. */
static uint64_t number_of(const json_t *job)
{
	const char *id = field_text(job, "id"), *dot = strrchr(id, '.');
	uint64_t number = 0;

	(void)text_parse_u64(slice_from_text(dot ? dot + 1 : id), UINT64_MAX, &number);
	return number;
}

static int compare(const void *a, const void *b)
{
	uint64_t x = number_of(*(json_t *const *)a), y = number_of(*(json_t *const *)b);

	return x < y ? 1 : x > y ? -1 : 0;
}

void list_jobs_sort(json_t *jobs, size_t limit)
{
	size_t n = json_array_size(jobs);
	json_t **order = calloc(n + 1, sizeof(json_t *));

	if (!order)
		return; /* unordered is better than nothing */
	for (size_t i = 0; i < n; i++)
		order[i] = json_incref(json_array_get(jobs, i));
	qsort(order, n, sizeof(json_t *), compare);
	for (size_t i = 0; i < n; i++)
		(void)json_array_set_new(jobs, i, order[i]);
	free(order);
	while (json_array_size(jobs) > limit)
		(void)json_array_remove(jobs, json_array_size(jobs) - 1);
}

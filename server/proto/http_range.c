/* SPDX-License-Identifier: MulanPSL-2.0 */
#include "server/proto/http_range.h"

#include "lib/base/macro.h"
#include "lib/base/text.h"

/* No file is longer than off_t; bounds sums of two such numbers as well. */
#define OFFSET_MAX ((uint64_t)INT64_MAX)

static bool is_number(struct slice s)
{
	for (size_t i = 0; i < s.len; i++)
		if (!char_is_digit((char)s.data[i]))
			return false;
	return s.len > 0;
}

/* A number of any length; one past OFFSET_MAX counts as OFFSET_MAX. s has passed is_number. */
static uint64_t number_or_max(struct slice s)
{
	uint64_t value;

	return text_parse_u64(s, OFFSET_MAX, &value) == 0 ? value : OFFSET_MAX;
}

static int last_bytes(struct slice count, uint64_t size, struct http_range *ret)
{
	uint64_t n = number_or_max(count);

	if (n == 0) {
		*ret = (struct http_range){ .first = 0, .len = 0 };
		return HTTP_RANGE_UNSATISFIABLE;
	}
	if (size == 0) /* satisfiable, but no Content-Range can say so */
		return HTTP_RANGE_WHOLE;
	n = MIN(n, size);
	*ret = (struct http_range){ .first = size - n, .len = n };
	return HTTP_RANGE_ONE;
}

int http_range_parse(struct slice header, uint64_t size, struct http_range *ret)
{
	struct slice from, to = text_trim(header);
	uint64_t first, last;

	*ret = (struct http_range){ .first = 0, .len = size };
	from = slice_cut(&to, '=');
	if (!slice_equal_nocase(from, SLICE_LITERAL("bytes")))
		return HTTP_RANGE_WHOLE;
	to = text_trim(to);
	if (slice_find(to, '-', 0) == to.len)
		return HTTP_RANGE_WHOLE;
	from = slice_cut(&to, '-');
	if (from.len == 0)
		return is_number(to) ? last_bytes(to, size, ret) : HTTP_RANGE_WHOLE;
	if (!is_number(from) || (to.len > 0 && !is_number(to)))
		return HTTP_RANGE_WHOLE;
	first = number_or_max(from);
	last = to.len > 0 ? number_or_max(to) : OFFSET_MAX;
	if (first > last)
		return HTTP_RANGE_WHOLE;
	if (first >= size) {
		*ret = (struct http_range){ .first = 0, .len = 0 };
		return HTTP_RANGE_UNSATISFIABLE;
	}
	last = MIN(last, size - 1);
	*ret = (struct http_range){ .first = first, .len = last - first + 1 };
	return HTTP_RANGE_ONE;
}

/* Reads "a-b" or "*". Returns 0 or HTTP_CONTENT_RANGE_BAD. */
static int parse_span(struct slice span, struct http_content_range *range)
{
	struct slice last = span, first;

	range->has_range = !text_equal(span, "*");
	if (!range->has_range)
		return 0;
	first = slice_cut(&last, '-');
	if (text_parse_u64(first, OFFSET_MAX, &range->first) != 0 ||
	    text_parse_u64(last, OFFSET_MAX, &range->last) != 0 || range->first > range->last)
		return HTTP_CONTENT_RANGE_BAD;
	return 0;
}

int http_content_range_parse(struct slice header, struct http_content_range *ret)
{
	struct http_content_range range = { .has_range = false };
	struct slice total = text_trim(header);
	struct slice unit = slice_cut(&total, ' '), span;
	int r;

	if (!slice_equal_nocase(unit, SLICE_LITERAL("bytes")))
		return HTTP_CONTENT_RANGE_BAD;
	total = text_trim(total);
	span = slice_cut(&total, '/');
	r = parse_span(span, &range);
	if (r != 0)
		return r;
	range.has_total = !text_equal(total, "*");
	if (range.has_total && text_parse_u64(total, OFFSET_MAX, &range.total) != 0)
		return HTTP_CONTENT_RANGE_BAD;
	if (!range.has_range && !range.has_total)
		return HTTP_CONTENT_RANGE_BAD;
	if (range.has_range && range.has_total && range.last >= range.total)
		return HTTP_CONTENT_RANGE_BAD;
	*ret = range;
	return 0;
}

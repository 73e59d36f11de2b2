/* SPDX-License-Identifier: MulanPSL-2.0 */
#include "server/proto/http_condition.h"

#include <inttypes.h>
#include <stdio.h>

#include "lib/base/text.h"
#include "server/proto/http_date.h"

const char *http_etag_format(uint64_t inode, uint64_t size, int64_t mtime_ns,
                             char to[HTTP_ETAG_MAX])
{
	(void)snprintf(to, HTTP_ETAG_MAX, "\"%" PRIx64 "-%" PRIx64 "-%" PRIx64 "\"", inode, size,
	               (uint64_t)mtime_ns);
	return to;
}

/* Takes the next entity tag of a list, without W/, its quotes included; empty at the end or at a
 * mistake. */
static struct slice next_tag(struct slice *list)
{
	size_t end;

	while (list->len > 0 && (list->data[0] == ',' || char_is_space((char)list->data[0])))
		(void)slice_take(list, 1);
	if (slice_has_prefix(*list, SLICE_LITERAL("W/")))
		(void)slice_take(list, 2);
	if (list->len == 0 || list->data[0] != '"')
		return SLICE_NULL;
	end = slice_find(*list, '"', 1);
	return end < list->len ? slice_take(list, end + 1) : SLICE_NULL;
}

static bool list_has_tag(struct slice list, const char *etag)
{
	for (struct slice tag = next_tag(&list); tag.len > 0; tag = next_tag(&list))
		if (text_equal(tag, etag))
			return true;
	return false;
}

bool http_condition_is_unmodified(const struct http_conditions *conditions, const char *etag,
                                  int64_t mtime, int64_t now)
{
	struct slice list = text_trim(conditions->if_none_match);
	int64_t since;

	if (list.len > 0)
		return text_equal(list, "*") || list_has_tag(list, etag);
	if (conditions->if_modified_since.len == 0 ||
	    http_date_parse(text_trim(conditions->if_modified_since), now, &since) != 0)
		return false;
	return mtime <= since;
}

bool http_condition_range_counts(const struct http_conditions *conditions, const char *etag,
                                 int64_t mtime, int64_t now)
{
	struct slice want = text_trim(conditions->if_range);
	int64_t date;

	if (want.len == 0)
		return true;
	if (want.data[0] == '"' || slice_has_prefix(want, SLICE_LITERAL("W/")))
		return text_equal(want, etag); /* strong: W/"x" never is */
	return http_date_parse(want, now, &date) == 0 && date == mtime;
}

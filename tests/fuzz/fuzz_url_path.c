/* SPDX-License-Identifier: MulanPSL-2.0 */
/*
 * A request target of anybody: what passes is an absolute path without "..", NUL, backslash or
 * doubled slash, and passes again unchanged. The query and a range header see the same bytes.
 */
#include <assert.h>

#include "lib/base/macro.h"
#include "server/proto/http_range.h"
#include "server/proto/url_path.h"
#include "server/proto/url_query.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_path(struct slice path)
{
	uint8_t again[URL_PATH_MAX + 1];
	struct bytes out = BYTES_ON(again);
	struct slice rest = path;

	assert(path.len > 0 && path.data[0] == '/' && path.len <= URL_PATH_MAX + 1);
	assert(slice_find(path, '\0', 0) == path.len && slice_find(path, '\\', 0) == path.len);
	(void)slice_take(&rest, 1);
	while (rest.len > 0) {
		struct slice part = slice_cut(&rest, '/');

		assert(part.len > 0);
		assert(!slice_equal(part, SLICE_LITERAL("..")));
		assert(!slice_equal(part, SLICE_LITERAL(".")));
	}
	if (path.len <= URL_PATH_MAX) {
		assert(url_path_fold(path, &out) == URL_PATH_OK);
		assert(slice_equal(bytes_slice(&out), path));
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct slice target = slice_make(data, size), path, query, key, value;
	uint8_t room[URL_PATH_MAX + 1];
	struct bytes out = BYTES_ON(room);
	struct http_content_range content_range;
	struct http_range range;

	url_split_target(target, &path, &query);
	if (url_path_decode(path, &out) == URL_PATH_OK)
		check_path(bytes_slice(&out));
	out.len = 0;
	if (url_path_fold(target, &out) == URL_PATH_OK)
		check_path(bytes_slice(&out));
	out.len = 0;
	(void)url_query_find(query, "b", &out);
	while (url_query_next(&query, &key, &value))
		assert(key.len + value.len > 0);
	if (http_range_parse(target, 1000, &range) == HTTP_RANGE_ONE)
		assert(range.len > 0 && range.first < 1000 && range.len <= 1000 - range.first);
	if (http_content_range_parse(target, &content_range) == 0)
		assert(!content_range.has_range || content_range.first <= content_range.last);
	return 0;
}

/* SPDX-License-Identifier: MulanPSL-2.0 */
#include "server/proto/http_media.h"

#include "lib/base/macro.h"
#include "server/proto/url_path.h"

static const struct {
	const char *suffix, *type;
} types[] = {
	{ ".efi", "application/efi" }, /* UEFI 2.10, 24.7.1: what HTTP boot expects */
	{ ".gz", "application/gzip" },
	{ ".json", "application/json" },
	{ ".ipxe", "text/plain; charset=utf-8" },
	{ ".log", "text/plain; charset=utf-8" },
	{ ".md", "text/plain; charset=utf-8" },
	{ ".sh", "text/plain; charset=utf-8" },
	{ ".sha256", "text/plain; charset=utf-8" },
	{ ".time", "text/plain; charset=utf-8" },
	{ ".txt", "text/plain; charset=utf-8" },
	{ ".yaml", "text/plain; charset=utf-8" },
	{ ".yml", "text/plain; charset=utf-8" },
};

static struct slice last_component(struct slice path)
{
	for (size_t i = path.len; i > 0; i--)
		if (path.data[i - 1] == '/')
			return slice_sub(path, i, path.len);
	return path;
}

const char *http_media_type(struct slice path)
{
	struct slice name = last_component(path), rest;

	for (size_t i = 0; i < ARRAY_SIZE(types); i++)
		if (slice_has_suffix(name, slice_from_text(types[i].suffix)))
			return types[i].type;
	if (slice_find(name, '.', 0) == name.len &&
	    url_path_below(path, SLICE_LITERAL("/result"), &rest))
		return "text/plain; charset=utf-8";
	return "application/octet-stream";
}

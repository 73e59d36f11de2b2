/* SPDX-License-Identifier: MulanPSL-2.0 */
#include "initramfs/fstab.h"

#include <stdbool.h>

#include "lib/base/macro.h"
#include "lib/base/text.h"

/* The next field of a line: what stands between blanks. */
static struct slice next_field(struct slice *rest)
{
	size_t begin = 0, end;

	while (begin < rest->len && char_is_space((char)rest->data[begin]))
		begin++;
	end = begin;
	while (end < rest->len && !char_is_space((char)rest->data[end]))
		end++;
	(void)slice_take(rest, begin);
	return slice_take(rest, end - begin);
}

static bool has_option(struct slice options, const char *wanted)
{
	while (options.len > 0)
		if (text_equal(slice_cut(&options, ','), wanted))
			return true;
	return false;
}

static bool is_block_device(struct slice source)
{
	static const char *const prefixes[] = {
		"/dev/", "UUID=", "LABEL=", "PARTUUID=", "PARTLABEL=", "ID=",
	};

	for (size_t i = 0; i < ARRAY_SIZE(prefixes); i++)
		if (slice_has_prefix(source, slice_from_text(prefixes[i])))
			return true;
	return false;
}

static bool may_stay(struct slice line)
{
	struct slice source = next_field(&line), target = next_field(&line);
	struct slice type = next_field(&line), options = next_field(&line);

	if (source.len == 0 || source.data[0] == '#')
		return true;
	while (target.len > 1 && target.data[target.len - 1] == '/')
		target.len--;
	if (text_equal(target, "/") || text_equal(target, "/usr"))
		return false;
	if (text_equal(type, "swap") || text_equal(target, "swap") ||
	    has_option(options, "x-initrd.mount"))
		return false;
	if (is_block_device(source) && !has_option(options, "bind") &&
	    !has_option(options, "rbind"))
		return has_option(options, "nofail") || has_option(options, "noauto");
	return true;
}

unsigned fstab_filter(struct slice text, struct buffer *out)
{
	unsigned n_dropped = 0;

	while (text.len > 0) {
		size_t len = slice_find(text, '\n', 0);
		struct slice line = slice_take(&text, MIN(len + 1, text.len));

		if (may_stay(line))
			buffer_append_slice(out, line);
		else
			n_dropped++;
	}
	return n_dropped;
}

/* SPDX-License-Identifier: MulanPSL-2.0 */
#include "initramfs/fstab.h"

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

bool fstab_next(struct slice *text, struct fstab_line *ret)
{
	struct slice rest;

	if (text->len == 0)
		return false;
	rest = slice_take(text, MIN(slice_find(*text, '\n', 0) + 1, text->len));
	*ret = (struct fstab_line){ .text = rest };
	ret->source = next_field(&rest);
	if (ret->source.len == 0 || ret->source.data[0] == '#') {
		ret->source = SLICE_NULL;
		return true;
	}
	ret->target = next_field(&rest);
	ret->type = next_field(&rest);
	ret->options = next_field(&rest);
	while (ret->target.len > 1 && ret->target.data[ret->target.len - 1] == '/')
		ret->target.len--;
	return true;
}

static bool is_bind(const struct fstab_line *line)
{
	return has_option(line->options, "bind") || has_option(line->options, "rbind");
}

static bool is_optional(const struct fstab_line *line)
{
	return has_option(line->options, "nofail") || has_option(line->options, "noauto");
}

static bool may_stay(const struct fstab_line *line)
{
	if (line->source.len == 0)
		return true;
	if (text_equal(line->target, "/") || text_equal(line->target, "/usr"))
		return false;
	if (text_equal(line->type, "swap") || text_equal(line->target, "swap") ||
	    has_option(line->options, "x-initrd.mount"))
		return false;
	if (is_block_device(line->source) && !is_bind(line))
		return is_optional(line);
	return true;
}

unsigned fstab_filter(struct slice text, struct buffer *out)
{
	struct fstab_line line;
	unsigned n_dropped = 0;

	while (fstab_next(&text, &line)) {
		if (may_stay(&line))
			buffer_append_slice(out, line.text);
		else
			n_dropped++;
	}
	return n_dropped;
}

bool fstab_line_waits(const struct fstab_line *line)
{
	return is_block_device(line->source) && !is_bind(line) && !is_optional(line) &&
	       !text_equal(line->target, "/");
}

void fstab_append_relaxed(const struct fstab_line *line, struct buffer *out)
{
	static const char relaxed[] = "nofail,x-systemd.device-timeout=10s";
	struct slice before = line->text;

	if (line->options.len == 0) {
		while (before.len > 0 && char_is_space((char)before.data[before.len - 1]))
			before.len--;
		buffer_append_slice(out, before);
		buffer_append_text(out, line->type.len > 0 ? " " : " auto ");
		buffer_append_text(out, relaxed);
		buffer_append_text(out, "\n");
		return;
	}
	before.len = (size_t)(line->options.data + line->options.len - line->text.data);
	buffer_append_slice(out, before);
	buffer_append_text(out, ",");
	buffer_append_text(out, relaxed);
	buffer_append_slice(out, slice_sub(line->text, before.len, line->text.len));
}

struct slice fstab_root_type(struct slice text)
{
	struct fstab_line line;

	while (fstab_next(&text, &line))
		if (text_equal(line.target, "/"))
			return line.type;
	return SLICE_NULL;
}

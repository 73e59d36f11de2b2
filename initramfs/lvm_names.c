/* SPDX-License-Identifier: MulanPSL-2.0 */
#include "initramfs/lvm_names.h"

#include <stdio.h>

#include "lib/base/macro.h"
#include "lib/base/text.h"

#define TIME_DIGITS 14
#define ROOT_MAX    1024

static const struct slice live_prefix = SLICE_LITERAL("live:");

/* The last 14 digits when dashes are left out. False: what is there are no digits. */
static bool take_time(struct slice text, char to[TIME_DIGITS + 1])
{
	size_t n = TIME_DIGITS;

	to[n] = '\0';
	for (size_t i = text.len; i > 0 && n > 0; i--) {
		char c = (char)text.data[i - 1];

		if (c == '-')
			continue;
		if (!char_is_digit(c))
			return false;
		to[--n] = c;
	}
	return n == 0;
}

/* The next piece between '/' and '-'. */
static struct slice next_piece(struct slice *rest)
{
	size_t end = MIN(slice_find(*rest, '/', 0), slice_find(*rest, '-', 0));
	struct slice piece = slice_take(rest, end);

	if (rest->len > 0)
		(void)slice_take(rest, 1);
	return piece;
}

static int write_names(struct slice os, struct slice arch, struct slice version, const char *time,
                       struct lvm_names *ret)
{
	struct lvm_names names;
	struct bytes scratch = BYTES_ON(names.scratch);

	if (os.len == 0 || arch.len == 0)
		return LVM_NAMES_FIELDS;
	bytes_append_slice(&scratch, os);
	bytes_append_u8(&scratch, '_');
	bytes_append_slice(&scratch, arch);
	bytes_append_u8(&scratch, '_');
	for (size_t i = 0; i < version.len; i++)
		bytes_append_u8(&scratch, version.data[i] == '-' ? '_' : version.data[i]);
	bytes_append_u8(&scratch, '\0');
	if (scratch.overflow || scratch.len + TIME_DIGITS + 1 > sizeof(names.source))
		return LVM_NAMES_BAD;
	(void)snprintf(names.source, sizeof(names.source), "%.96s_%.14s", names.scratch, time);
	if (!lvm_names_is_good(slice_from_text(names.source)))
		return LVM_NAMES_BAD;
	*ret = names;
	return 0;
}

/* The root without its first slash, cut into pieces. */
static int name_path(struct slice before, struct slice after, struct slice version,
                     const char *time, struct lvm_names *ret)
{
	uint8_t room[ROOT_MAX];
	struct bytes joined = BYTES_ON(room);
	struct slice rest, os, arch;

	bytes_append_slice(&joined, before);
	bytes_append_slice(&joined, after);
	if (joined.overflow)
		return LVM_NAMES_BAD;
	rest = bytes_slice(&joined);
	(void)next_piece(&rest);
	os = next_piece(&rest);
	arch = next_piece(&rest);
	return write_names(os, arch, version, time, ret);
}

/* live:http://HOST:PORT/PATH: its path, up to a last part that ends with a time. */
static int name_live(struct slice url, struct slice version, struct lvm_names *ret)
{
	char time[TIME_DIGITS + 1];
	struct slice path;
	size_t at;

	(void)slice_cut(&url, '/');
	(void)slice_cut(&url, '/');
	(void)slice_cut(&url, '/');
	path = url;
	while (path.len > 0 && !take_time(path, time)) {
		for (at = path.len; at > 0; at--)
			if (path.data[at - 1] == '/' || path.data[at - 1] == '.')
				break;
		path.len = at > 0 ? at - 1 : 0;
	}
	if (path.len == 0)
		return LVM_NAMES_TIME;
	return name_path(SLICE_LITERAL("server:"), path, version, time, ret);
}

int lvm_names_from_root(struct slice root, struct slice os_version, struct lvm_names *ret)
{
	char time[TIME_DIGITS + 1];
	struct slice before, after = root;
	int r;

	if (slice_has_prefix(root, live_prefix))
		return name_live(root, os_version, ret);
	if (!take_time(root, time))
		return LVM_NAMES_TIME;
	before = slice_cut(&after, '/');
	r = name_path(before, after, os_version, time, ret);
	/* my-server:/os/...: no volume of the original's can be meant */
	if (r == LVM_NAMES_BAD && before.len > 0 && before.data[before.len - 1] == ':')
		return name_path(SLICE_LITERAL("server:"), after, os_version, time, ret);
	return r;
}

bool lvm_names_is_good(struct slice name)
{
	static const char *const reserved[] = {
		"_cdata",  "_cmeta",   "_corig", "_cpool",  "_cvol",    "_imeta",
		"_mimage", "_mlog",    "_iorig", "_rmeta",  "_pmspare", "_tdata",
		"_tmeta",  "_vorigin", "_vdata", "_rimage",
	};

	if (name.len == 0 || name.len >= LVM_NAME_MAX || name.data[0] == '-' ||
	    text_equal(name, ".") || text_equal(name, ".."))
		return false;
	for (size_t i = 0; i < name.len; i++) {
		char c = (char)name.data[i];

		if (!char_is_alnum(c) && c != '+' && c != '_' && c != '.' && c != '-')
			return false;
		for (size_t k = 0; k < ARRAY_SIZE(reserved); k++)
			if (slice_has_prefix(slice_sub(name, i, name.len),
			                     slice_from_text(reserved[k])))
				return false;
	}
	return !slice_has_prefix(name, SLICE_LITERAL("snapshot")) &&
	       !slice_has_prefix(name, SLICE_LITERAL("pvmove"));
}

/* Writes the name that a device-mapper name stands for. */
static int undouble(struct slice text, char to[LVM_NAME_MAX])
{
	struct bytes out = { .data = (uint8_t *)to, .cap = LVM_NAME_MAX - 1 };

	for (size_t i = 0; i < text.len; i++) {
		if (text.data[i] == '-') {
			if (i + 1 == text.len || text.data[i + 1] != '-') {
				to[0] = '\0';
				return LVM_NAMES_BAD;
			}
			i++;
		}
		bytes_append_u8(&out, text.data[i]);
	}
	to[out.len] = '\0';
	if (!out.overflow && lvm_names_is_good(bytes_slice(&out)))
		return 0;
	to[0] = '\0';
	return LVM_NAMES_BAD;
}

int lvm_names_from_node(struct slice node, char to[LVM_NAME_MAX])
{
	static const struct slice mapper = SLICE_LITERAL("/dev/mapper/" LVM_GROUP "-");
	static const struct slice group = SLICE_LITERAL("/dev/" LVM_GROUP "/");

	if (slice_has_prefix(node, mapper))
		/* a dash after "os" is the first of two: another group, whose name has a dash */
		return node.len > mapper.len && node.data[mapper.len] == '-'
		               ? LVM_NAMES_FIELDS
		               : undouble(slice_sub(node, mapper.len, node.len), to);
	if (!slice_has_prefix(node, group))
		return LVM_NAMES_FIELDS;
	node = slice_sub(node, group.len, node.len);
	if (!lvm_names_is_good(node))
		return LVM_NAMES_BAD;
	return text_copy(to, LVM_NAME_MAX, node) == 0 ? 0 : LVM_NAMES_BAD;
}

const char *lvm_names_node(const char *name, char to[LVM_NODE_MAX])
{
	struct bytes out = { .data = (uint8_t *)to, .cap = LVM_NODE_MAX - 1 };

	bytes_append_text(&out, "/dev/mapper/" LVM_GROUP "-");
	for (; *name; name++) {
		if (*name == '-')
			bytes_append_u8(&out, '-');
		bytes_append_u8(&out, (uint8_t)*name);
	}
	to[out.len] = '\0';
	return to;
}

bool lvm_names_is_source(const char *name)
{
	struct slice s = slice_from_text(name);

	if (s.len < TIME_DIGITS + 2 || s.data[s.len - TIME_DIGITS - 1] != '_')
		return false;
	for (size_t i = s.len - TIME_DIGITS; i < s.len; i++)
		if (!char_is_digit((char)s.data[i]))
			return false;
	return true;
}

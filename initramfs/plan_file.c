/* SPDX-License-Identifier: MulanPSL-2.0 */
/*
 * One table of keys, read and written through the same entries, so that the two cannot differ.
 */
#include "initramfs/plan_file.h"

#include "initramfs/unit_name.h"
#include "lib/base/macro.h"
#include "lib/base/text.h"

/* Each kind of value knows how to write itself ("" is absent) and how to be read. */
enum key_type {
	KEY_TEXT,
	KEY_BOOL,
	KEY_U64,
	KEY_UINT,
	KEY_ENUM,
};

struct key {
	const char *name;
	enum key_type type;
	size_t offset, size;
	bool is_rare; /* left out when it is no, 0 or the first of its names */
	const char *(*to_name)(int value);
	int (*from_name)(struct slice name);
};

#define TEXT(member)                                                                               \
	{                                                                                          \
#member, KEY_TEXT, offsetof(struct plan, member),                                  \
			sizeof(((struct plan *)NULL)->member), false, NULL, NULL                   \
	}
#define VALUE(member, type)                                                                        \
	{                                                                                          \
#member, type, offsetof(struct plan, member), 0, false, NULL, NULL                 \
	}
#define RARE(member, type)                                                                         \
	{                                                                                          \
#member, type, offsetof(struct plan, member), 0, true, NULL, NULL                  \
	}
#define NAMED(member, scope)                                                                       \
	{                                                                                          \
#member, KEY_ENUM, offsetof(struct plan, member), 0, false, scope##_to_name,       \
			scope##_from_name                                                          \
	}
#define RARE_NAMED(member, scope)                                                                  \
	{                                                                                          \
#member, KEY_ENUM, offsetof(struct plan, member), 0, true, scope##_to_name,        \
			scope##_from_name                                                          \
	}

static const struct key keys[] = {
	NAMED(kind, plan_kind),
	TEXT(refused),
	TEXT(source),
	TEXT(url),
	TEXT(sha256),
	VALUE(size, KEY_U64),
	TEXT(device),
	TEXT(net_server),
	TEXT(net_path),
	TEXT(net_options),
	TEXT(net_user),
	TEXT(net_password),
	RARE(nfs_version, KEY_UINT),
	RARE_NAMED(local, plan_local),
	TEXT(volume),
	TEXT(partition),
	TEXT(source_volume),
	RARE(source_must_be, KEY_BOOL),
	RARE(volume_size, KEY_U64),
	TEXT(disks),
	RARE(disk_required, KEY_BOOL),
	RARE(migrate, KEY_BOOL),
	RARE(is_new, KEY_BOOL),
	TEXT(wipe),
	VALUE(overlay, KEY_BOOL),
	VALUE(read_only, KEY_BOOL),
	NAMED(upper, plan_upper),
	TEXT(upper_device),
	TEXT(upper_size),
	TEXT(server),
	VALUE(timeout, KEY_U64), /* microseconds */
	VALUE(retry, KEY_UINT),
	NAMED(onfail, plan_onfail),
	VALUE(has_shell, KEY_BOOL),
	VALUE(debug, KEY_BOOL),
	VALUE(networkd, KEY_BOOL),
};

static const void *member(const struct plan *plan, const struct key *key)
{
	return (const char *)plan + key->offset;
}

static void write_key(const struct plan *plan, const struct key *key, struct bytes *out)
{
	const void *value = member(plan, key);

	switch (key->type) {
	case KEY_TEXT:
		if (*(const char *)value)
			bytes_printf(out, "%s=%s\n", key->name, (const char *)value);
		return;
	case KEY_BOOL:
		if (*(const bool *)value || !key->is_rare)
			bytes_printf(out, "%s=%s\n", key->name,
			             *(const bool *)value ? "yes" : "no");
		return;
	case KEY_U64:
		if (*(const uint64_t *)value == 0 && key->is_rare)
			return;
		bytes_printf(out, "%s=%llu\n", key->name,
		             (unsigned long long)*(const uint64_t *)value);
		return;
	case KEY_UINT:
		if (*(const unsigned *)value == 0 && key->is_rare)
			return;
		bytes_printf(out, "%s=%u\n", key->name, *(const unsigned *)value);
		return;
	case KEY_ENUM:
		if (*(const int *)value == 0 && key->is_rare)
			return;
		bytes_printf(out, "%s=%s\n", key->name, key->to_name(*(const int *)value));
		return;
	}
}

void plan_write(const struct plan *plan, struct bytes *out)
{
	for (size_t i = 0; i < ARRAY_SIZE(keys); i++)
		write_key(plan, &keys[i], out);
}

static int read_text(const struct key *key, struct slice value, void *to)
{
	for (size_t i = 0; i < value.len; i++)
		if (value.data[i] < 0x20 || value.data[i] == 0x7f)
			return PLAN_FILE_BAD;
	return text_copy(to, key->size, value) == 0 ? 0 : PLAN_FILE_BAD;
}

static int read_key(struct plan *plan, const struct key *key, struct slice value)
{
	void *to = (char *)plan + key->offset;
	uint64_t n = 0;
	int named;

	switch (key->type) {
	case KEY_TEXT:
		return read_text(key, value, to);
	case KEY_BOOL:
		*(bool *)to = text_equal(value, "yes");
		return *(bool *)to || text_equal(value, "no") ? 0 : PLAN_FILE_BAD;
	case KEY_U64:
		return text_parse_u64(value, INT64_MAX, to) == 0 ? 0 : PLAN_FILE_BAD;
	case KEY_UINT:
		if (text_parse_u64(value, INT32_MAX, &n) != 0)
			return PLAN_FILE_BAD;
		*(unsigned *)to = (unsigned)n;
		return 0;
	case KEY_ENUM:
		named = key->from_name(value);
		if (named < 0)
			return PLAN_FILE_BAD;
		*(int *)to = named;
		return 0;
	}
	return PLAN_FILE_BAD;
}

/* A node must have a unit: units.h relies on it. A volume must have a name that lvm takes. */
static bool has_good_nodes(const struct plan *plan)
{
	char unit[UNIT_NAME_MAX];

	if (plan->volume[0] && !lvm_names_is_good(slice_from_text(plan->volume)))
		return false;
	if (plan->source_volume[0] && !lvm_names_is_good(slice_from_text(plan->source_volume)))
		return false;
	return unit_name_from_node(plan->device, unit) == 0 &&
	       unit_name_from_node(plan->upper_device, unit) == 0;
}

int plan_read(struct slice text, struct plan *ret, unsigned *ret_line)
{
	struct plan plan = { .kind = PLAN_NONE };
	bool has_kind = false;
	unsigned line = 0;

	for (; text.len > 0;) {
		struct slice value = slice_cut(&text, '\n');
		struct slice name;

		line++;
		if (value.len == 0)
			continue;
		if (slice_find(value, '=', 0) == value.len)
			goto bad;
		name = slice_cut(&value, '=');
		has_kind |= text_equal(name, "kind");
		for (size_t i = 0; i < ARRAY_SIZE(keys); i++)
			if (text_equal(name, keys[i].name) && read_key(&plan, &keys[i], value) != 0)
				goto bad;
	}
	if (!has_kind || !has_good_nodes(&plan))
		goto bad;
	*ret = plan;
	return 0;
bad:
	*ret_line = line;
	return PLAN_FILE_BAD;
}

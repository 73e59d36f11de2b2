/* SPDX-License-Identifier: MulanPSL-2.0 */
#include "initramfs/lvm_report.h"

#include "lib/base/macro.h"
#include "lib/base/text.h"

#define FIELDS_MAX 6

/* The next line that is not empty, cut into its fields. Returns how many it has, 0 at the end. */
static size_t next_line(struct slice *text, struct slice fields[FIELDS_MAX])
{
	size_t n = 0;

	while (text->len > 0) {
		struct slice line = text_trim(slice_cut(text, '\n'));

		if (line.len == 0)
			continue;
		for (n = 1; n < FIELDS_MAX && slice_find(line, '|', 0) < line.len; n++)
			fields[n - 1] = slice_cut(&line, '|');
		fields[n - 1] = line;
		return n;
	}
	return 0;
}

static bool has_tag(struct slice tags, const char *wanted)
{
	while (tags.len > 0)
		if (text_equal(text_trim(slice_cut(&tags, ',')), wanted))
			return true;
	return false;
}

static int read_number(struct slice text, uint64_t *ret)
{
	return text_parse_u64(text, INT64_MAX, ret) == 0 ? 0 : LVM_REPORT_BAD;
}

int lvm_report_group(struct slice text, struct lvm_group *ret)
{
	struct lvm_group group = { .exists = true };
	struct slice fields[FIELDS_MAX], more[FIELDS_MAX];
	uint64_t n_missing;
	size_t n = next_line(&text, fields);

	if (n == 0) {
		*ret = (struct lvm_group){ .exists = false };
		return 0;
	}
	/* two groups of one name: whose disk is whose is not for us to guess */
	if (n != 6 || !text_equal(fields[0], LVM_GROUP) || next_line(&text, more) != 0)
		return LVM_REPORT_BAD;
	group.is_ours = has_tag(fields[1], LVM_TAG_OURS);
	if (read_number(fields[2], &group.size) != 0 || read_number(fields[3], &group.free) != 0 ||
	    read_number(fields[4], &group.extent) != 0 || read_number(fields[5], &n_missing) != 0 ||
	    group.extent == 0 || n_missing > UINT16_MAX)
		return LVM_REPORT_BAD;
	group.n_missing = (unsigned)n_missing;
	*ret = group;
	return 0;
}

static int read_volume(const struct slice fields[FIELDS_MAX], struct lvm_volume *ret)
{
	struct lvm_volume volume = { .size = 0 };
	struct slice attributes = fields[2];

	if (read_number(fields[1], &volume.size) != 0 || attributes.len < 6)
		return LVM_REPORT_BAD;
	if (text_copy(volume.name, sizeof(volume.name), fields[0]) != 0 || volume.name[0] == '\0')
		return LVM_REPORT_BAD;
	/* an origin whose name is too long is no volume of ours */
	(void)text_copy(volume.origin, sizeof(volume.origin), fields[3]);
	volume.is_snapshot = fields[3].len > 0;
	volume.is_writable = attributes.data[1] == 'w';
	volume.is_open = attributes.data[5] == 'o';
	volume.is_part = has_tag(fields[4], LVM_TAG_PART);
	volume.is_whole = has_tag(fields[4], LVM_TAG_WHOLE);
	*ret = volume;
	return 0;
}

int lvm_report_volumes(struct slice text, struct lvm_group *group)
{
	struct slice fields[FIELDS_MAX];
	size_t n;

	while ((n = next_line(&text, fields)) > 0) {
		struct lvm_volume volume;

		if (n != 5)
			return LVM_REPORT_BAD;
		if (fields[0].len >= sizeof(volume.name))
			continue;
		if (read_volume(fields, &volume) != 0)
			return LVM_REPORT_BAD;
		if (group->n_volumes == LVM_VOLUMES_MAX)
			group->has_more = true;
		else
			group->volumes[group->n_volumes++] = volume;
	}
	return 0;
}

int lvm_report_group_of(struct slice text, const char *node, char to[LVM_NAME_MAX])
{
	struct slice fields[FIELDS_MAX];
	size_t n;

	while ((n = next_line(&text, fields)) > 0) {
		if (!text_equal(fields[0], node))
			continue;
		if (n != 2)
			return LVM_REPORT_BAD;
		/* a longer name is not ours either */
		if (text_copy(to, LVM_NAME_MAX, slice_sub(fields[1], 0, LVM_NAME_MAX - 1)) != 0)
			return LVM_REPORT_BAD;
		return 0;
	}
	return LVM_REPORT_BAD;
}

const struct lvm_volume *lvm_group_find(const struct lvm_group *group, const char *name)
{
	for (size_t i = 0; i < group->n_volumes; i++)
		if (strcmp(group->volumes[i].name, name) == 0)
			return &group->volumes[i];
	return NULL;
}

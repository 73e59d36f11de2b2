/* SPDX-License-Identifier: MulanPSL-2.0 */
#include "initramfs/device.h"

#include <blkid/blkid.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "initramfs/unit_name.h"
#include "lib/base/macro.h"
#include "lib/base/text.h"

static void free_probe(blkid_probe *probe)
{
	blkid_free_probe(*probe);
}

static const struct {
	const char *directory, *tag;
	bool is_of_superblock; /* its value is in the superblock, not in the partition table */
} links[] = {
	{ "/dev/disk/by-label/", "LABEL", true },
	{ "/dev/disk/by-uuid/", "UUID", true },
	{ "/dev/disk/by-partlabel/", "PARTLABEL", false },
	{ "/dev/disk/by-partuuid/", "PARTUUID", false },
};

/* udev writes what may not stand in a name as \xHH. */
static void decode_name(const char *name, char *to)
{
	size_t len = strlen(name), n = 0;

	for (size_t i = 0; i < len; i++) {
		if (name[i] == '\\' && len - i >= 4 && name[i + 1] == 'x' &&
		    char_hex_value(name[i + 2]) >= 0 && char_hex_value(name[i + 3]) >= 0) {
			to[n++] = (char)(char_hex_value(name[i + 2]) * 16 +
			                 char_hex_value(name[i + 3]));
			i += 3;
		} else {
			to[n++] = name[i];
		}
	}
	to[n] = '\0';
}

/* Finds which link of udev's a node is, with its value decoded. False: it is none. */
static bool parse_link(const char *node, size_t *ret_link, char *value)
{
	for (size_t i = 0; i < ARRAY_SIZE(links); i++) {
		size_t len = strlen(links[i].directory);

		if (strncmp(node, links[i].directory, len) == 0) {
			decode_name(node + len, value);
			*ret_link = i;
			return true;
		}
	}
	return false;
}

static int copy_value(blkid_probe probe, const char *name, char *to, size_t size)
{
	const char *value;
	size_t len;

	if (blkid_probe_lookup_value(probe, name, &value, &len) < 0 || len == 0)
		return DEVICE_EMPTY;
	if (text_copy(to, size, slice_from_text(value)) != 0)
		return -ENAMETOOLONG;
	return 0;
}

static int probe_type(const char *node, struct device *device, const char *tag, const char *wanted)
{
	CLEANUP(free_probe) blkid_probe probe = NULL;
	const char *value;
	int r;

	errno = 0;
	probe = blkid_new_probe_from_filename(node);
	if (!probe)
		return errno == ENOENT ? DEVICE_MISSING : errno != 0 ? -errno : -EIO;
	(void)blkid_probe_enable_superblocks(probe, 1);
	(void)blkid_probe_set_superblocks_flags(probe, BLKID_SUBLKS_TYPE | BLKID_SUBLKS_LABEL |
	                                                       BLKID_SUBLKS_UUID);
	r = blkid_do_safeprobe(probe);
	if (r == 1)
		return DEVICE_EMPTY;
	if (r == -2)
		return DEVICE_AMBIGUOUS;
	if (r < 0)
		return errno != 0 ? -errno : -EIO;
	if (tag && (blkid_probe_lookup_value(probe, tag, &value, NULL) < 0 ||
	            strcasecmp(value, wanted) != 0))
		return DEVICE_OTHER;
	return copy_value(probe, "TYPE", device->type, sizeof(device->type));
}

int device_probe(const char *node, struct device *ret)
{
	struct device device = { .node = "" };
	char value[PLAN_DEVICE_MAX] = "";
	bool is_link, confirm;
	size_t i = 0;
	int r;

	if (text_copy(device.node, sizeof(device.node), slice_from_text(node)) != 0)
		return -ENAMETOOLONG;
	is_link = strlen(node) < sizeof(value) && parse_link(node, &i, value);
	if (is_link && access(node, F_OK) < 0) {
		CLEANUP(freep) char *found = blkid_evaluate_tag(links[i].tag, value, NULL);

		if (!found)
			return DEVICE_MISSING;
		if (text_copy(device.node, sizeof(device.node), slice_from_text(found)) != 0)
			return -ENAMETOOLONG;
	}
	confirm = is_link && links[i].is_of_superblock;
	r = probe_type(device.node, &device, confirm ? links[i].tag : NULL, value);
	if (r != 0)
		return r;
	*ret = device;
	return 0;
}

bool device_is_there(struct slice source)
{
	char tag[16], value[PLAN_DEVICE_MAX], node[PLAN_DEVICE_MAX];
	struct slice name;

	if (source.len > 0 && source.data[0] == '/')
		return text_copy(node, sizeof(node), source) == 0 && access(node, F_OK) == 0;
	name = slice_cut(&source, '=');
	if (source.len >= 2 && source.data[0] == '"' && source.data[source.len - 1] == '"')
		source = slice_sub(source, 1, source.len - 2);
	if (text_copy(tag, sizeof(tag), name) != 0 || text_copy(value, sizeof(value), source) != 0)
		return false;
	for (size_t i = 0; i < ARRAY_SIZE(links); i++) {
		const char *by = links[i].directory + strlen("/dev/disk/");
		CLEANUP(freep) char *found = NULL;
		char dir[16];

		if (strcmp(links[i].tag, tag) != 0)
			continue;
		(void)snprintf(dir, sizeof(dir), "%.*s", (int)strcspn(by, "/"), by);
		if (unit_name_tag_node(dir, source, node, sizeof(node)) == 0 &&
		    access(node, F_OK) == 0)
			return true;
		found = blkid_evaluate_tag(tag, value, NULL);
		return found != NULL;
	}
	return false;
}

const char *device_outcome_text(int outcome)
{
	switch (outcome) {
	case DEVICE_EMPTY:
		return "it holds no file system that we know";
	case DEVICE_AMBIGUOUS:
		return "it has signatures of more than one file system";
	case DEVICE_OTHER:
		return "what is on it has another name by now";
	case DEVICE_MISSING:
		return "there is no such device";
	}
	return strerror(-outcome);
}

/* SPDX-License-Identifier: MulanPSL-2.0 */
#include "initramfs/disk_find.h"

#include <blkid/blkid.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "initramfs/unit_name.h"
#include "lib/base/macro.h"
#include "lib/base/text.h"
#include "lib/sys/file.h"

#define SHORTEST_SERIAL 4 /* of those that a longer name may end with */

static void close_directory(DIR **directory)
{
	if (*directory)
		(void)closedir(*directory);
}

/* Reads a small file of sysfs. False: there is none, or it cannot be read. */
static bool read_attribute(const char *path, struct buffer *ret)
{
	/* vpd_pg80 and its like have at most this */
	return file_read_all(AT_FDCWD, path, 4096, ret) == 0;
}

void disk_find_attribute(const char *node, const char *attribute, char *to, size_t size)
{
	struct buffer text = BUFFER_NULL;
	char path[320];

	(void)snprintf(path, sizeof(path), "/sys/class/block/%s/%s", node + strlen("/dev/"),
	               attribute);
	to[0] = '\0';
	if (read_attribute(path, &text))
		(void)text_copy(to, size, text_trim(buffer_slice(&text)));
	buffer_deinit(&text);
}

/* Serial number and WWN of a whole disk, from wherever its driver puts them. */
static void read_ids(const char *whole, struct disk_facts *facts)
{
	static const char *const serials[] = { "serial", "device/serial" };
	static const char *const wwids[] = { "wwid", "device/wwid" };
	struct buffer page = BUFFER_NULL;
	char path[320], text[160];

	facts->serial[0] = facts->wwn[0] = '\0';
	for (size_t i = 0; i < ARRAY_SIZE(serials) && !facts->serial[0]; i++) {
		disk_find_attribute(whole, serials[i], text, sizeof(text));
		disk_id_from_text(slice_from_text(text), facts->serial);
	}
	(void)snprintf(path, sizeof(path), "/sys/class/block/%s/device/vpd_pg80",
	               whole + strlen("/dev/"));
	if (!facts->serial[0] && read_attribute(path, &page))
		disk_id_from_page80(buffer_slice(&page), facts->serial);
	buffer_deinit(&page);
	for (size_t i = 0; i < ARRAY_SIZE(wwids) && !facts->wwn[0]; i++) {
		disk_find_attribute(whole, wwids[i], text, sizeof(text));
		disk_id_from_wwid(slice_from_text(text), facts->wwn);
	}
}

/* The kernel's name of a device number, and of the disk that it is a partition of. */
static int name_device(dev_t dev, struct disk_facts *facts)
{
	char path[64], target[512], *last;
	ssize_t n;

	(void)snprintf(path, sizeof(path), "/sys/dev/block/%u:%u", major(dev), minor(dev));
	n = readlink(path, target, sizeof(target) - 1);
	if (n < 0)
		return -errno;
	target[n] = '\0';
	last = strrchr(target, '/');
	if (!last || strlen(last) > 64)
		return -ENODEV;
	(void)snprintf(facts->node, sizeof(facts->node), "/dev/%.64s", last + 1);
	(void)snprintf(path, sizeof(path), "/sys/dev/block/%u:%u/partition", major(dev),
	               minor(dev));
	(void)snprintf(facts->whole, sizeof(facts->whole), "%s", facts->node);
	if (access(path, F_OK) == 0) {
		*last = '\0';
		last = strrchr(target, '/');
		if (!last || strlen(last) > 64)
			return -ENODEV;
		(void)snprintf(facts->whole, sizeof(facts->whole), "/dev/%.64s", last + 1);
	}
	return 0;
}

/* "ata-MODEL_SERIAL", "virtio-SERIAL", "wwn-0x...": what udev would have called the disk. */
static bool is_called(const struct disk_facts *disk, struct slice id)
{
	struct slice serial = slice_from_text(disk->serial);
	size_t before;

	if (disk_id_is(id, disk->serial, disk->wwn))
		return true;
	if (serial.len < SHORTEST_SERIAL || !slice_has_suffix(id, serial) || id.len == serial.len)
		return false;
	before = id.len - serial.len - 1;
	return id.data[before] == '_' || id.data[before] == '-';
}

/* Looks for the one disk with that id. Returns true with its node in to. */
static bool find_by_id(struct slice id, char *to, size_t size)
{
	CLEANUP(close_directory) DIR *block = opendir("/sys/block");
	const struct dirent *entry;
	unsigned n = 0;

	while (block && (entry = readdir(block))) {
		struct disk_facts disk = { .name = "" };

		if (entry->d_name[0] == '.' || strlen(entry->d_name) > 64)
			continue;
		(void)snprintf(disk.node, sizeof(disk.node), "/dev/%.64s", entry->d_name);
		read_ids(disk.node, &disk);
		if (!is_called(&disk, id))
			continue;
		n++;
		(void)snprintf(to, size, "%s", disk.node);
	}
	return n == 1;
}

/* LABEL=x: by the link that udev makes, else by looking at all disks. */
static bool find_by_tag(struct slice name, char *to, size_t size)
{
	static const struct {
		const char *tag, *directory;
	} tags[] = {
		{ "LABEL", "by-label" },
		{ "UUID", "by-uuid" },
		{ "PARTLABEL", "by-partlabel" },
		{ "PARTUUID", "by-partuuid" },
	};
	struct slice value = name, tag = slice_cut(&value, '=');
	char text[PLAN_DEVICE_MAX];

	if (text_copy(text, sizeof(text), value) != 0)
		return false;
	for (size_t i = 0; i < ARRAY_SIZE(tags); i++) {
		CLEANUP(freep) char *found = NULL;

		if (!text_equal(tag, tags[i].tag))
			continue;
		if (unit_name_tag_node(tags[i].directory, value, to, size) == 0 &&
		    access(to, F_OK) == 0)
			return true;
		found = blkid_evaluate_tag(tags[i].tag, text, NULL);
		if (found)
			(void)snprintf(to, size, "%s", found);
		return found;
	}
	return false;
}

int disk_find(struct slice name, struct disk_facts *ret)
{
	struct disk_facts facts = { .is_missing = true };
	char node[PLAN_DEVICE_MAX];
	struct stat st;
	bool is_found;
	int r;

	if (text_copy(facts.name, sizeof(facts.name), name) != 0)
		return -ENAMETOOLONG;
	(void)snprintf(node, sizeof(node), "%s", facts.name);
	is_found = slice_has_prefix(name, SLICE_LITERAL("/dev/"));
	if (is_found && access(node, F_OK) < 0) {
		const char *slash = strrchr(facts.name, '/');

		is_found = find_by_id(slice_from_text(slash + 1), node, sizeof(node));
	} else if (!is_found && slice_has_prefix(name, SLICE_LITERAL("wwn-"))) {
		is_found = find_by_id(name, node, sizeof(node));
	} else if (!is_found) {
		is_found = find_by_tag(name, node, sizeof(node));
	}
	if (is_found && stat(node, &st) == 0 && S_ISBLK(st.st_mode)) {
		r = name_device(st.st_rdev, &facts);
		if (r < 0)
			return r;
		facts.is_missing = false;
		read_ids(facts.whole, &facts);
	}
	*ret = facts;
	return 0;
}

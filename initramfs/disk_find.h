/* SPDX-License-Identifier: MulanPSL-2.0 */
/*
 * Which device a name of rootfs_disk= means, and what the kernel knows of it: nothing here writes.
 */
#pragma once

#include "initramfs/disk_state.h"

/*
 * Finds the device: a node, also through a link of udev's; a name of /dev/disk/by-id that udev has
 * not made (it has no helper programs here), or wwn-..., by serial number and WWN; LABEL= and its
 * like by what is on the disks. Fills name, is_missing, node, whole, serial and wwn. Returns 0 or
 * -errno.
 */
int disk_find(struct slice name, struct disk_facts *ret);

/* A file of sysfs about the device, without the white space around it: "" when there is none. */
void disk_find_attribute(const char *node, const char *attribute, char *to, size_t size);

/* SPDX-License-Identifier: MulanPSL-2.0 */
/*
 * What lvm tells of volume group os and of the disks, as values. Pure: the text is lvm's own,
 * fields with '|' between them, sizes in bytes (lvmreport(7)).
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "initramfs/lvm_names.h"

/* Options that make lvm write what is read here, and the fields of each report in their order. */
#define LVM_REPORT_FORMAT  "--noheadings", "--nosuffix", "--units", "b", "--separator", "|"
#define LVM_REPORT_GROUPS  "vg_name,vg_tags,vg_size,vg_free,vg_extent_size,vg_missing_pv_count"
#define LVM_REPORT_VOLUMES "lv_name,lv_size,lv_attr,origin,lv_tags" /* the oldest first */
#define LVM_REPORT_DISKS   "pv_name,vg_name"

/* Tags of ours; the original neither writes nor reads tags. */
#define LVM_TAG_OURS  "cci"       /* a group that we made, or were permitted to take for ours */
#define LVM_TAG_PART  "cci.part"  /* a volume that is being filled */
#define LVM_TAG_WHOLE "cci.whole" /* one that was filled and checked */

struct lvm_volume {
	char name[LVM_NAME_MAX + 16]; /* with a suffix of ours */
	uint64_t size;
	bool is_writable, is_snapshot, is_open;
	char origin[LVM_NAME_MAX]; /* of a snapshot */
	bool is_part, is_whole;    /* by their tags */
};

#define LVM_VOLUMES_MAX 64

struct lvm_group {
	bool exists, is_ours;
	uint64_t size, free, extent;
	unsigned n_missing; /* disks that are not there */
	struct lvm_volume volumes[LVM_VOLUMES_MAX];
	size_t n_volumes;
	bool has_more; /* volumes that found no room */
};

enum { LVM_REPORT_BAD = 1 };

/* Reads the report of the group. No line: it does not exist. Returns 0 or LVM_REPORT_BAD. */
int lvm_report_group(struct slice text, struct lvm_group *ret);

/* Adds the volumes. A volume that no name of ours can be, is left out. Same outcomes. */
int lvm_report_volumes(struct slice text, struct lvm_group *group);

/*
 * Finds the group that a disk belongs to: "" when lvm knows the disk and it is in none.
 * Returns 0, or LVM_REPORT_BAD when lvm does not know the disk.
 */
int lvm_report_group_of(struct slice text, const char *node, char to[LVM_NAME_MAX]);

/* The volume of that name, or NULL. */
const struct lvm_volume *lvm_group_find(const struct lvm_group *group, const char *name);

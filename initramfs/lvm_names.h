/* SPDX-License-Identifier: MulanPSL-2.0 */
/*
 * Names of logical volumes as Compass-CI's initramfs makes them (compass-ci-protocol.md 6.4), to
 * the byte: a disk goes from one to the other and back, and users write these names in their jobs.
 * Pure.
 */
#pragma once

#include "lib/base/bytes.h"

#define LVM_GROUP "os" /* the one volume group of both */
#define LVM_NAME_MAX                                                                               \
	112 /* with the NUL; a device-mapper name is at most 127 bytes, "os-" and the              \
	       suffix of a volume in the making among them */
#define LVM_NODE_MAX   (2 * LVM_NAME_MAX + 16)
#define LVM_PART       ".part"       /* follows the name of a volume that is not whole yet */
#define LVM_UNFINISHED ".unfinished" /* of one that the original left half copied */

struct lvm_names {
	char scratch[LVM_NAME_MAX]; /* OS_ARCH_VERSION: what a boot writes to */
	char source[LVM_NAME_MAX]; /* OS_ARCH_VERSION_TIMESTAMP: the copy of root=, never written */
};

enum {
	LVM_NAMES_TIME = 1,   /* root= does not end with a date and time: YYYY-MM-DD-hh-mm-ss */
	LVM_NAMES_FIELDS = 2, /* no os and no architecture in it */
	LVM_NAMES_BAD = 3,    /* no name that a volume may have */
};

/*
 * Names for a root, as root= has it without credentials and options, and os_version. As the
 * original does it: without the root's first slash, os and architecture are the second and third
 * piece between '/' and '-', whatever they are; the timestamp is what 14 digits stand at the end
 * when all dashes are gone; '-' in the version becomes '_'; an empty version leaves its '_'. Where
 * that gives a name that no volume can have because the server's has a dash, it is read without. Of
 * a URL (live:) the server's place counts as one piece, and a file name at the end does not count.
 */
int lvm_names_from_root(struct slice root, struct slice os_version, struct lvm_names *ret);

/* Whether a volume may be called so (lvm(8), "Valid names"), with LVM_PART behind it too. */
bool lvm_names_is_good(struct slice name);

/*
 * The volume of a node: /dev/mapper/os-NAME, in which a dash of the name is written twice, or
 * /dev/os/NAME. Returns 0, LVM_NAMES_FIELDS when it is no node of group os, or LVM_NAMES_BAD.
 */
int lvm_names_from_node(struct slice node, char to[LVM_NAME_MAX]);

/* The node of a volume below /dev/mapper. Returns `to`. */
const char *lvm_names_node(const char *name, char to[LVM_NODE_MAX]);

/* Whether a name ends with '_' and 14 digits, as a source's does. */
bool lvm_names_is_source(const char *name);

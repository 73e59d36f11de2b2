/* SPDX-License-Identifier: MulanPSL-2.0 */
/*
 * What is on a block device, asked of the device itself through libblkid: udev's links may be older
 * than what is there now.
 */
#pragma once

#include "initramfs/plan.h"

enum {
	DEVICE_EMPTY = 1,     /* no file system that libblkid knows */
	DEVICE_AMBIGUOUS = 2, /* signatures of more than one */
	DEVICE_OTHER = 3,     /* LABEL or UUID is not the one in its name */
	DEVICE_MISSING = 4,   /* no such node, and no device with such a tag */
};

struct device {
	char node[PLAN_DEVICE_MAX]; /* what to mount */
	char type[32];              /* of its file system, as the kernel names it */
};

/*
 * Finds out about a node; a link of /dev/disk/by-{label,uuid,partlabel,partuuid} that is not there
 * is looked for by its tag. Returns 0, an outcome above, or -errno.
 */
int device_probe(const char *node, struct device *ret);

/* Whether the block device that a line of fstab names (a node, UUID= and its like) is there now. */
bool device_is_there(struct slice source);

/* The outcome in words. */
const char *device_outcome_text(int outcome);

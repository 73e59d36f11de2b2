/* SPDX-License-Identifier: MulanPSL-2.0 */
/*
 * What may be done with each disk of rootfs_disk=. Only what is blank is taken without being asked;
 * what is foreign only with cci.wipe= for the number that the kernel reports of this disk, and with
 * the same words only once. Pure.
 */
#pragma once

#include "initramfs/disk_state.h"

enum disk_act {
	DISK_LEAVE, /* not touched */
	DISK_USE,   /* it is in group os already */
	DISK_TAKE,  /* blank: goes into the group */
	DISK_WIPE,  /* cleared first, after the server has been told */
	_DISK_ACT_MAX,
};

#define DISK_WHY_MAX 1024

struct disk_verdict {
	enum disk_state state;
	enum disk_act act;
	char why[DISK_WHY_MAX]; /* a sentence: the disk, what is on it, what is done, and when it is
	                           left: what would permit more */
};

#define DISKS_MAX 16

/*
 * Decides for each of n ≤ DISKS_MAX disks; `wipe` is cci.wipe= or "". A disk that stands there
 * twice, or as itself and as a part, counts the first time only.
 */
void disk_policy_decide(const struct disk_facts *disks, size_t n, const char *wipe,
                        struct disk_verdict *ret);

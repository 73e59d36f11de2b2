/* SPDX-License-Identifier: MulanPSL-2.0 */
/*
 * From what was found on a disk to what it is: a disk is what is on it, never what it is called.
 * Whatever is not plainly something else is foreign. Pure.
 */
#pragma once

#include "initramfs/disk_id.h"
#include "initramfs/disk_stamp.h"
#include "initramfs/plan.h"

enum disk_state {
	DISK_MISSING, /* there is no such device */
	DISK_OURS,    /* in our group os */
	DISK_LEGACY,  /* in a group os that the original made */
	DISK_BLANK,   /* nothing is on it, or what we had begun */
	DISK_FOREIGN, /* anything else, also what cannot be told for sure */
	DISK_BUSY,    /* mounted, or under another device */
	_DISK_STATE_MAX,
};

const char *disk_state_to_name(int value);

/* What libblkid's safe probe says. */
enum disk_probe { DISK_PROBE_NOTHING, DISK_PROBE_ONE, DISK_PROBE_AMBIVALENT };

#define DISK_NODE_MAX 96

struct disk_facts {
	char name[PLAN_DEVICE_MAX]; /* as rootfs_disk= has it */
	bool is_missing;
	char node[DISK_NODE_MAX];  /* the kernel's own: /dev/sda */
	char whole[DISK_NODE_MAX]; /* the disk that a partition is of; else the same */
	char serial[DISK_ID_MAX], wwn[DISK_ID_MAX]; /* of the whole disk; "": none */
	uint64_t size;
	char error[64]; /* what kept us from looking; "": nothing */
	enum disk_probe probe;
	char type[32], label[64]; /* of the superblock */
	bool is_damaged;          /* its checksum is wrong */
	char table[16];           /* of partitions; "": none */
	bool is_head_zero, is_tail_zero;
	bool is_read_only;
	char used_by[64];         /* who has it in use, besides volumes of group os */
	char group[LVM_NAME_MAX]; /* its volume group; "": none */
	bool is_group_known;      /* lvm has told; else `group` says nothing */
	bool is_group_ours;
	struct disk_stamp stamp;
};

enum disk_state disk_state_decide(const struct disk_facts *facts);

/* What was found, in words: "an ext4 file system labelled data", "a gpt partition table". */
void disk_state_explain(const struct disk_facts *facts, char *to, size_t size);

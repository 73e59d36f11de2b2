/* SPDX-License-Identifier: MulanPSL-2.0 */
/*
 * lvm(8), run with a configuration of our own: no daemons, no backups of metadata, no udev; and
 * where it writes, no device in its sight but those of group os and the one that is to join it.
 */
#pragma once

#include "initramfs/disk_state.h"
#include "initramfs/lvm_report.h"
#include "initramfs/program.h"

#define LVM_DISKS_MAX 32

struct lvm {
	bool is_there;          /* the program is in this image */
	bool has_mapper;        /* the kernel has device-mapper; without it nothing is made */
	struct buffer disks;    /* lvm's report of all physical volumes */
	struct lvm_group group; /* os */
	char error[PROGRAM_ERROR_MAX]; /* what lvm said when it last failed */
};

/* Looks at all disks and at group os. Returns 0 or -errno (-EUCLEAN: lvm answers what we cannot
 * read, as with two groups of that name). lvm->error says more. */
int lvm_open(struct lvm *lvm);
void lvm_close(struct lvm *lvm);

/* The same again, after something has changed. */
int lvm_refresh(struct lvm *lvm);

/* What lvm knows of a disk: its group. */
void lvm_fill_facts(const struct lvm *lvm, struct disk_facts *facts);

/*
 * Runs one command that writes: `lvm NAME --config ... ARGUMENTS`. Only disks of group os and
 * `node` (NULL: none) can be seen by it. Returns 0 or -EIO with lvm->error, or -errno.
 */
int lvm_do(struct lvm *lvm, const char *node, const char *const arguments[]);

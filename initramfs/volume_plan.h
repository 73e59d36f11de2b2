/* SPDX-License-Identifier: MulanPSL-2.0 */
/*
 * From what volume group os holds to the steps that make this boot's root: in their order, each
 * safe to be cut short by a power failure. A volume has its own name only when it is whole. Pure.
 */
#pragma once

#include "initramfs/lvm_report.h"
#include "initramfs/plan.h"

enum volume_op {
	VOLUME_REMOVE,   /* name goes */
	VOLUME_RENAME,   /* name becomes to */
	VOLUME_CREATE,   /* name is made, tagged as a part */
	VOLUME_FILL,     /* name gets a file system and all of root=, or the rest of it */
	VOLUME_COPY,     /* name gets a file system and all of volume `to` */
	VOLUME_SEAL,     /* name is checked: tagged as whole; read-only if it is a source */
	VOLUME_SNAPSHOT, /* name is made as a snapshot of `to` */
	VOLUME_USE,      /* name is the root */
	_VOLUME_OP_MAX,
};

const char *volume_op_to_name(int value);

#define VOLUME_NAME_MAX  (LVM_NAME_MAX + 16)
#define VOLUME_STEPS_MAX (LVM_VOLUMES_MAX + 16)

struct volume_step {
	enum volume_op op;
	char name[VOLUME_NAME_MAX], to[VOLUME_NAME_MAX];
	uint64_t size;
	bool is_read_only; /* VOLUME_SEAL */
	const char *why;   /* VOLUME_REMOVE, VOLUME_RENAME: constant text */
};

struct volume_plan {
	size_t n_steps;
	struct volume_step steps[VOLUME_STEPS_MAX];
	bool is_new;   /* the root is new with this boot: nothing of a user's is on it */
	char why[320]; /* with an outcome: what is wrong, and what would help */
};

enum {
	VOLUME_PLAN_ABSENT = 1, /* what must be there is not */
	VOLUME_PLAN_SPACE = 2,  /* the group has no room, or is not there at all */
	VOLUME_PLAN_TAKEN = 3,  /* a name that is needed is in use by what is not ours */
};

/*
 * Whether something lasting has to be made: then, and only then, more disks join the group. (A
 * snapshot of what is there does not count, as long as it fits.)
 */
bool volume_plan_needs_disks(const struct plan *plan, const struct lvm_group *group);

/* Makes the steps for a local plan with a volume. Returns 0 or an outcome above. */
int volume_plan_decide(const struct plan *plan, const struct lvm_group *group,
                       struct volume_plan *ret);

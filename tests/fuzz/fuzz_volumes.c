/* SPDX-License-Identifier: MulanPSL-2.0 */
/*
 * What lvm may tell and what may stand in a stamp or in a node's name: read without harm, and
 * whatever a group holds, a plan neither writes to a volume that has its name already nor removes
 * one that is open.
 */
#include <assert.h>

#include "initramfs/disk_id.h"
#include "initramfs/disk_stamp.h"
#include "initramfs/volume_plan.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_steps(const struct lvm_group *group, const struct volume_plan *plan)
{
	for (size_t i = 0; i < plan->n_steps; i++) {
		const struct volume_step *step = &plan->steps[i];
		const struct lvm_volume *volume = lvm_group_find(group, step->name);

		if (step->op == VOLUME_FILL || step->op == VOLUME_COPY || step->op == VOLUME_SEAL)
			assert(strstr(step->name, LVM_PART) &&
			       (!volume || volume->is_part || volume->is_whole));
		if (step->op == VOLUME_REMOVE)
			assert(volume && !volume->is_open);
	}
}

static void plan_for(struct slice text)
{
	static struct plan plan = { .volume = "a_b_1",
		                    .source_volume = "a_b_1_20210518150852",
		                    .volume_size = (uint64_t)1 << 30 };
	static struct volume_plan steps;
	static struct lvm_group group;
	struct slice head = slice_cut(&text, '\n');

	if (lvm_report_group(head, &group) != 0 || lvm_report_volumes(text, &group) != 0)
		return;
	for (plan.local = PLAN_LOCAL_SCRATCH; plan.local < _PLAN_LOCAL_MAX; plan.local++) {
		plan.migrate = text.len % 2;
		(void)volume_plan_needs_disks(&plan, &group);
		if (volume_plan_decide(&plan, &group, &steps) == 0)
			check_steps(&group, &steps);
	}
}

static void read_stamp(const uint8_t *data, size_t size)
{
	uint8_t block[DISK_STAMP_SIZE] = { 0 };
	struct disk_stamp stamp;

	memcpy(block, data, size < sizeof(block) ? size : sizeof(block));
	if (disk_stamp_parse(block, &stamp) == 0)
		disk_stamp_build(&stamp, block);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct slice text = slice_make(data, size);
	char name[LVM_NAME_MAX], again[LVM_NAME_MAX], node[LVM_NODE_MAX], id[DISK_ID_MAX];
	struct lvm_names names;

	plan_for(text);
	read_stamp(data, size);
	disk_id_from_page80(text, id);
	disk_id_from_wwid(text, id);
	disk_id_from_text(text, id);
	(void)disk_id_is_permitted(text, "ZA1", "5000c500a1b2c3d4");
	(void)lvm_report_group_of(text, "/dev/sda", name);
	if (lvm_names_from_root(text, slice_sub(text, size / 2, 8), &names) == 0)
		assert(lvm_names_is_source(names.source));
	if (lvm_names_from_node(text, name) == 0) {
		lvm_names_node(name, node);
		assert(lvm_names_from_node(slice_from_text(node), again) == 0);
		assert(strcmp(name, again) == 0);
	}
	return 0;
}

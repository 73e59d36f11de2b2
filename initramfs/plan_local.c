/* SPDX-License-Identifier: MulanPSL-2.0 */
/*
 * os_partition= is one volume that is root and copy of root= in one. Without it there are two: the
 * source, made once from root= or named by use_root_partition=, and what boots from it.
 */
#include "initramfs/plan_local.h"

#include "lib/base/text.h"
#include "lib/format/size.h"

#define SIZE_DEFAULT ((uint64_t)20 << 30) /* the original's, since December 2022 */
#define SIZE_LEAST   ((uint64_t)32 << 20) /* what a file system of any kind needs */

static bool is_printable(struct slice s)
{
	for (size_t i = 0; i < s.len; i++)
		if (s.data[i] < 0x20 || s.data[i] == 0x7f)
			return false;
	return true;
}

static const char *put(char *to, size_t size, struct slice value)
{
	if (!is_printable(value))
		return "a control character in the value";
	return text_copy(to, size, value) == 0 ? NULL : "longer than it may be";
}

/* A volume of ours. */
static const char *put_volume(char to[LVM_NAME_MAX], struct slice node)
{
	switch (lvm_names_from_node(node, to)) {
	case 0:
		return NULL;
	case LVM_NAMES_FIELDS:
		return "expected a volume of group os: /dev/mapper/os-NAME";
	default:
		return "no name that a volume can have (a dash in it is written twice below "
		       "/dev/mapper)";
	}
}

/* A volume of ours, or some other node. */
static const char *put_kept(struct plan *plan, struct slice node)
{
	plan->local = PLAN_LOCAL_KEPT;
	if (lvm_names_from_node(node, plan->volume) != LVM_NAMES_FIELDS)
		return put_volume(plan->volume, node);
	if (!slice_has_prefix(node, SLICE_LITERAL("/dev/")))
		return "expected a node below /dev";
	return put(plan->partition, sizeof(plan->partition), node);
}

static const char *explain_names(int outcome, const char **ret_key)
{
	*ret_key = "root";
	switch (outcome) {
	case LVM_NAMES_TIME:
		return "local needs a root that ends with its date and time, "
		       "like 20.03-2021-05-18-15-08-52";
	case LVM_NAMES_FIELDS:
		return "local needs an os and an architecture in it, "
		       "like HOST:/os/openeuler/aarch64/...";
	default:
		*ret_key = "root and os_version";
		return "local can give no volume such a name";
	}
}

static const char *decide_pair(const struct boot_params *p, struct plan *plan, const char **ret_key)
{
	struct lvm_names names;
	const char *why = NULL;
	int r = 0;

	if (p->use_root_partition.len > 0 &&
	    slice_equal(p->use_root_partition, p->save_root_partition)) {
		*ret_key = "use_root_partition";
		plan->source_must_be = true;
		return put_kept(plan, p->use_root_partition);
	}
	if (p->use_root_partition.len == 0 || p->save_root_partition.len == 0)
		r = lvm_names_from_root(slice_from_text(plan->source), p->os_version, &names);
	if (r != 0)
		return explain_names(r, ret_key);
	if (p->use_root_partition.len > 0) {
		*ret_key = "use_root_partition";
		plan->source_must_be = true;
		why = put_volume(plan->source_volume, p->use_root_partition);
	} else {
		(void)text_copy(plan->source_volume, LVM_NAME_MAX, slice_from_text(names.source));
	}
	plan->local = PLAN_LOCAL_SCRATCH;
	if (!why && p->save_root_partition.len > 0) {
		*ret_key = "save_root_partition";
		plan->local = PLAN_LOCAL_SAVE;
		why = put_volume(plan->volume, p->save_root_partition);
	} else if (!why) {
		(void)text_copy(plan->volume, LVM_NAME_MAX, slice_from_text(names.scratch));
	}
	if (!why && strcmp(plan->volume, plan->source_volume) == 0) {
		plan->local = PLAN_LOCAL_KEPT; /* nothing to copy: the source itself is the root */
		plan->source_volume[0] = '\0';
	}
	return why;
}

static const char *decide_disks(const struct boot_params *p, struct plan *plan)
{
	struct bytes list = { .data = (uint8_t *)plan->disks, .cap = sizeof(plan->disks) - 1 };

	for (size_t i = 0; i < p->n_rootfs_disks; i++) {
		if (!is_printable(p->rootfs_disks[i]))
			return "a control character in the value";
		if (i > 0)
			bytes_append_u8(&list, ',');
		bytes_append_slice(&list, p->rootfs_disks[i]);
	}
	plan->disks[list.len] = '\0';
	return list.overflow ? "longer than it may be" : NULL;
}

bool plan_may_do_without_disk(const struct plan *plan)
{
	return plan->local == PLAN_LOCAL_SCRATCH && !plan->source_must_be && !plan->disk_required;
}

const char *plan_local_decide(const struct boot_params *p, struct plan *plan, const char **ret_key)
{
	const char *why;

	*ret_key = "os_partition";
	why = p->os_partition.len > 0 ? put_kept(plan, p->os_partition)
	                              : decide_pair(p, plan, ret_key);
	if (why)
		return why;
	*ret_key = "os_lv_size";
	plan->volume_size = SIZE_DEFAULT;
	if (p->os_lv_size.len > 0 && size_parse(p->os_lv_size, &plan->volume_size) != 0)
		return "expected a size like 20G";
	if (plan->volume_size < SIZE_LEAST || plan->volume_size > INT64_MAX)
		return "a root has at least 32M";
	*ret_key = "rootfs_disk";
	why = decide_disks(p, plan);
	if (why)
		return why;
	plan->disk_required = p->disk_required;
	plan->migrate = p->migrate;
	*ret_key = "cci.wipe";
	return put(plan->wipe, sizeof(plan->wipe), p->wipe);
}

/* SPDX-License-Identifier: MulanPSL-2.0 */
#include "initramfs/volume_plan.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>

#include "lib/base/macro.h"
#include "lib/base/table.h"
#include "lib/base/text.h"

static const char *const op_names[_VOLUME_OP_MAX] = {
	[VOLUME_REMOVE] = "remove", [VOLUME_RENAME] = "rename",     [VOLUME_CREATE] = "create",
	[VOLUME_FILL] = "fill",     [VOLUME_COPY] = "copy",         [VOLUME_SEAL] = "seal",
	[VOLUME_USE] = "use",       [VOLUME_SNAPSHOT] = "snapshot",
};

const char *volume_op_to_name(int value)
{
	const char *name = table_name(op_names, ARRAY_SIZE(op_names), value);

	return name ? name : "?";
}

struct maker {
	const struct plan *plan;
	const struct lvm_group *group;
	struct volume_plan *ret;
	uint64_t free;                 /* after the steps so far */
	bool is_gone[LVM_VOLUMES_MAX]; /* removed by them */
	bool may_remove; /* sources that nobody needs now, and what was left half made */
};

static struct volume_step *add(struct maker *m, enum volume_op op, const char *name)
{
	struct volume_step *step;

	assert(m->ret->n_steps < VOLUME_STEPS_MAX);
	step = &m->ret->steps[m->ret->n_steps++];
	*step = (struct volume_step){ .op = op };
	(void)snprintf(step->name, sizeof(step->name), "%s", name);
	return step;
}

static void add_to(struct maker *m, enum volume_op op, const char *name, const char *to,
                   const char *why)
{
	struct volume_step *step = add(m, op, name);

	(void)snprintf(step->to, sizeof(step->to), "%s", to);
	step->why = why;
}

/* What the volume takes from the group: whole extents. */
static uint64_t room_for(const struct maker *m, uint64_t size)
{
	uint64_t extent = m->group->extent > 0 ? m->group->extent : 1;

	return (size + extent - 1) / extent * extent;
}

static const struct lvm_volume *find(const struct maker *m, const char *name)
{
	const struct lvm_volume *volume = lvm_group_find(m->group, name);

	return volume && !m->is_gone[volume - m->group->volumes] ? volume : NULL;
}

static void remove_volume(struct maker *m, const struct lvm_volume *volume, const char *why)
{
	add(m, VOLUME_REMOVE, volume->name)->why = why;
	m->is_gone[volume - m->group->volumes] = true;
	m->free += room_for(m, volume->size);
}

/*
 * Whether a volume that is to be made from root= is there and whole. Ours say so by their tag; the
 * original makes a source read-only when its copy has ended, and leaves no sign on others.
 */
static bool is_whole(const struct lvm_volume *volume)
{
	if (!volume)
		return false;
	if (volume->is_whole || volume->is_part)
		return volume->is_whole;
	return !lvm_names_is_source(volume->name) || !volume->is_writable;
}

/* The volume that is made from root=, or "" when none is. */
static const char *made_name(const struct plan *plan)
{
	if (plan->source_must_be)
		return "";
	return plan->local == PLAN_LOCAL_KEPT ? plan->volume : plan->source_volume;
}

bool volume_plan_needs_disks(const struct plan *plan, const struct lvm_group *group)
{
	const char *made = made_name(plan);

	if (made[0] && !is_whole(lvm_group_find(group, made)))
		return true;
	return plan->local == PLAN_LOCAL_SAVE && !lvm_group_find(group, plan->volume);
}

static int fail(struct maker *m, int outcome, const char *format, ...) PRINTF_LIKE(3, 4);

static int fail(struct maker *m, int outcome, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	(void)vsnprintf(m->ret->why, sizeof(m->ret->why), format, args);
	va_end(args);
	return outcome;
}

/* Whether a snapshot is what a boot from that source made, and the next one throws away. */
static bool is_scratch_of(const struct lvm_volume *volume, const struct lvm_volume *source)
{
	size_t len = strlen(volume->name);

	return strncmp(volume->name, source->name, len) == 0 && source->name[len] == '_' &&
	       strlen(source->name) == len + 15;
}

/* A source of ours that no boot of today needs: nothing but its own scratch hangs on it. */
static bool is_spare(const struct maker *m, const struct lvm_volume *volume)
{
	if (m->is_gone[volume - m->group->volumes] || volume->is_open || !volume->is_whole ||
	    !lvm_names_is_source(volume->name) || strcmp(volume->name, m->plan->volume) == 0 ||
	    strcmp(volume->name, m->plan->source_volume) == 0)
		return false;
	for (size_t i = 0; i < m->group->n_volumes; i++) {
		const struct lvm_volume *other = &m->group->volumes[i];

		if (!m->is_gone[i] && strcmp(other->origin, volume->name) == 0 &&
		    (other->is_open || !is_scratch_of(other, volume)))
			return false;
	}
	return !m->group->has_more;
}

static void remove_spare(struct maker *m, const struct lvm_volume *volume)
{
	for (size_t i = 0; i < m->group->n_volumes; i++)
		if (!m->is_gone[i] && strcmp(m->group->volumes[i].origin, volume->name) == 0)
			remove_volume(m, &m->group->volumes[i], "what an earlier boot wrote");
	remove_volume(m, volume, "the oldest source, for its room");
}

/* Begun by us, whether it was ended or not: a volume that is still called so. */
static bool is_our_part(const struct lvm_volume *volume)
{
	return (volume->is_part || volume->is_whole) &&
	       slice_has_suffix(slice_from_text(volume->name), SLICE_LITERAL(LVM_PART));
}

/* Some other volume that we had begun. */
static bool is_left_over(const struct maker *m, const struct lvm_volume *volume, const char *keep)
{
	return !m->is_gone[volume - m->group->volumes] && is_our_part(volume) && !volume->is_open &&
	       strcmp(volume->name, keep) != 0;
}

/* Frees room: first what was left half made, then sources, the oldest first, and no more than it
 * takes. */
static int make_room(struct maker *m, uint64_t need, const char *keep)
{
	char size[32];

	for (size_t i = 0; i < m->group->n_volumes && m->free < need && m->may_remove; i++)
		if (is_left_over(m, &m->group->volumes[i], keep))
			remove_volume(m, &m->group->volumes[i], "left half made");
	for (size_t i = 0; i < m->group->n_volumes && m->free < need && m->may_remove; i++)
		if (is_spare(m, &m->group->volumes[i]))
			remove_spare(m, &m->group->volumes[i]);
	if (m->free >= need)
		return 0;
	(void)snprintf(size, sizeof(size), "%" PRIu64, need >> 20);
	return fail(m, VOLUME_PLAN_SPACE,
	            "group " LVM_GROUP " has %" PRIu64 " MiB free, %s MiB are needed%s",
	            m->free >> 20, size,
	            m->may_remove ? "; a smaller os_lv_size= or one more disk would help"
	                          : "; a smaller os_lv_size=, one more disk, or cci.migrate (then "
	                            "old sources may go) would help");
}

/* A name in the way: what is there goes if it is ours to remove, else it gets another name. */
static int clear_name(struct maker *m, const char *name)
{
	const struct lvm_volume *old = find(m, name);
	char aside[VOLUME_NAME_MAX];

	if (!old)
		return 0;
	if (old->is_open)
		return fail(m, VOLUME_PLAN_TAKEN, "volume %s is in use", name);
	if (m->may_remove) {
		remove_volume(m, old, "half copied, and taken for whole by the original");
		return 0;
	}
	(void)snprintf(aside, sizeof(aside), "%.*s" LVM_UNFINISHED, LVM_NAME_MAX, name);
	if (find(m, aside))
		return fail(m, VOLUME_PLAN_TAKEN,
		            "volumes %s and %s are both half copied by the original; cci.migrate "
		            "would permit to remove them",
		            name, aside);
	add_to(m, VOLUME_RENAME, name, aside, "the original did not finish copying it");
	m->is_gone[old - m->group->volumes] = true;
	return 0;
}

/* The volume that root= is copied to, when it is not whole. */
static int make_source(struct maker *m, const char *name)
{
	const struct lvm_volume *part;
	char part_name[VOLUME_NAME_MAX];
	struct volume_step *step;
	int r;

	if (is_whole(find(m, name)))
		return 0;
	r = clear_name(m, name);
	if (r != 0)
		return r;
	(void)snprintf(part_name, sizeof(part_name), "%.*s" LVM_PART, LVM_NAME_MAX, name);
	part = find(m, part_name);
	if (part && !is_our_part(part))
		return fail(m, VOLUME_PLAN_TAKEN, "volume %s is not of our making", part_name);
	if (!part) {
		r = make_room(m, room_for(m, m->plan->volume_size), part_name);
		if (r != 0)
			return r;
		add(m, VOLUME_CREATE, part_name)->size = m->plan->volume_size;
		m->free -= room_for(m, m->plan->volume_size);
	}
	if (!part || !part->is_whole)
		add(m, VOLUME_FILL, part_name);
	step = add(m, VOLUME_SEAL, part_name);
	step->is_read_only = m->plan->local != PLAN_LOCAL_KEPT || lvm_names_is_source(name);
	add_to(m, VOLUME_RENAME, part_name, name, "it is whole");
	return 0;
}

/* What boots is new each time. */
static int make_scratch(struct maker *m)
{
	const struct plan *plan = m->plan;
	const struct lvm_volume *old = find(m, plan->volume);
	struct volume_step *step;
	int r;

	if (old && old->is_open)
		return fail(m, VOLUME_PLAN_TAKEN, "volume %s is in use", old->name);
	if (old)
		remove_volume(m, old, "what an earlier boot wrote");
	r = make_room(m, room_for(m, plan->volume_size), "");
	if (r != 0)
		return r;
	add_to(m, VOLUME_SNAPSHOT, plan->volume, plan->source_volume, NULL);
	step = &m->ret->steps[m->ret->n_steps - 1];
	step->size = plan->volume_size;
	return 0;
}

/* A copy with a name of the user's takes the place of the one before. */
static int make_saved(struct maker *m)
{
	const char *name = m->plan->volume;
	const struct lvm_volume *old = find(m, name), *part;
	uint64_t need = room_for(m, m->plan->volume_size);
	char part_name[VOLUME_NAME_MAX];
	int r;

	if (old && old->is_open)
		return fail(m, VOLUME_PLAN_TAKEN, "volume %s is in use", name);
	(void)snprintf(part_name, sizeof(part_name), "%.*s" LVM_PART, LVM_NAME_MAX, name);
	part = find(m, part_name);
	if (part && !is_our_part(part))
		return fail(m, VOLUME_PLAN_TAKEN, "volume %s is not of our making", part_name);
	if (part) /* of what source it was to be a copy nobody knows */
		remove_volume(m, part, "left half made");
	if (old && m->free < need) {
		remove_volume(m, old, "to be saved anew, and there is no room for both");
		old = NULL;
	}
	r = make_room(m, need, "");
	if (r != 0)
		return r;
	add(m, VOLUME_CREATE, part_name)->size = m->plan->volume_size;
	add_to(m, VOLUME_COPY, part_name, m->plan->source_volume, NULL);
	add(m, VOLUME_SEAL, part_name);
	if (old)
		remove_volume(m, old, "saved anew");
	add_to(m, VOLUME_RENAME, part_name, name, "it is whole");
	return 0;
}

static int make_root(struct maker *m)
{
	const struct plan *plan = m->plan;
	int r;

	if (plan->local == PLAN_LOCAL_KEPT) {
		m->ret->is_new = !plan->source_must_be && !is_whole(find(m, plan->volume));
		if (!plan->source_must_be)
			return make_source(m, plan->volume);
		return find(m, plan->volume) ? 0
		                             : fail(m, VOLUME_PLAN_ABSENT,
		                                    "there is no volume %s to use", plan->volume);
	}
	m->ret->is_new = true;
	if (!plan->source_must_be) {
		r = make_source(m, plan->source_volume);
		if (r != 0)
			return r;
	} else if (!find(m, plan->source_volume)) {
		return fail(m, VOLUME_PLAN_ABSENT, "there is no volume %s to use",
		            plan->source_volume);
	}
	return plan->local == PLAN_LOCAL_SAVE ? make_saved(m) : make_scratch(m);
}

int volume_plan_decide(const struct plan *plan, const struct lvm_group *group,
                       struct volume_plan *ret)
{
	struct maker m = { .plan = plan, .group = group, .ret = ret, .free = group->free };
	int r;

	*ret = (struct volume_plan){ .n_steps = 0 };
	m.may_remove = group->is_ours || plan->migrate;
	if (!group->exists && plan->source_must_be)
		return fail(&m, VOLUME_PLAN_ABSENT, "there is no volume group " LVM_GROUP);
	if (!group->exists)
		return fail(&m, VOLUME_PLAN_SPACE,
		            "there is no volume group " LVM_GROUP
		            ", and no disk that it could be made on");
	if (group->n_missing > 0)
		return fail(&m, VOLUME_PLAN_SPACE, "%u disks of group " LVM_GROUP " are not there",
		            group->n_missing);
	r = make_root(&m);
	if (r == 0)
		add(&m, VOLUME_USE, plan->volume);
	return r;
}

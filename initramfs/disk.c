/* SPDX-License-Identifier: MulanPSL-2.0 */
/*
 * Look, decide, do. Until a volume has to be made no disk is written; what a disk is and whether it
 * may be taken is decided for all of them together, and said for each.
 */
#include "initramfs/disk.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <time.h>
#include <unistd.h>

#include "initramfs/disk_find.h"
#include "initramfs/disk_look.h"
#include "initramfs/disk_policy.h"
#include "initramfs/disk_take.h"
#include "initramfs/lvm.h"
#include "initramfs/notify.h"
#include "initramfs/paths.h"
#include "initramfs/plan_file.h"
#include "initramfs/report.h"
#include "initramfs/tell.h"
#include "initramfs/volume_plan.h"
#include "initramfs/volume_source.h"
#include "initramfs/volumes.h"
#include "lib/base/macro.h"
#include "lib/base/text.h"
#include "lib/sys/clock.h"
#include "lib/sys/fd.h"
#include "lib/sys/file.h"

#define LOOK_PAUSE ((struct timespec){ .tv_nsec = 200 * 1000 * 1000 })

struct maker {
	const struct plan *plan;
	struct lvm lvm;
	size_t n_disks;
	struct disk_facts disks[DISKS_MAX];
	struct disk_verdict verdicts[DISKS_MAX];
	struct volume_plan steps;
	bool is_told;  /* the failure, by who fetched */
	bool is_fatal; /* nothing else would be what was asked for */
	char error[DISK_ERROR_MAX];
};

static int fail(struct maker *m, const char *what, const char *why)
{
	(void)snprintf(m->error, sizeof(m->error), "%s%s%s", what, why[0] ? ": " : "", why);
	return -ECANCELED;
}

/* --- looking -------------------------------------------------------------------------------- */

/* Finds each disk of the list. Returns whether all are there. */
static bool find_disks(struct maker *m)
{
	struct slice rest = slice_from_text(m->plan->disks);
	bool has_all = true;

	m->n_disks = 0;
	while (rest.len > 0 && m->n_disks < DISKS_MAX) {
		struct disk_facts *disk = &m->disks[m->n_disks++];
		struct slice name = slice_cut(&rest, ',');

		if (disk_find(name, disk) < 0) {
			*disk = (struct disk_facts){ .is_missing = true };
			(void)text_copy(disk->name, sizeof(disk->name), name);
		}
		has_all &= !disk->is_missing;
	}
	return has_all;
}

/* Nothing has to be made, and all of the group is there. */
static bool is_group_enough(const struct maker *m)
{
	const struct lvm_group *group = &m->lvm.group;

	return group->exists && group->n_missing == 0 && !volume_plan_needs_disks(m->plan, group);
}

/*
 * Disks may come late: waits until those of the list are there, or those of the group, which need
 * not be in the list.
 */
static int wait_for_disks(struct maker *m)
{
	usec_t end = usec_add(clock_now(), m->plan->timeout);
	int r;

	for (;;) {
		bool has_all = find_disks(m);

		r = lvm_refresh(&m->lvm);
		if (r < 0)
			return fail(m, "lvm", m->lvm.error[0] ? m->lvm.error : strerror(-r));
		if (is_group_enough(m) || (has_all && m->n_disks > 0) ||
		    (m->n_disks == 0 && m->lvm.group.exists) || clock_now() >= end)
			return 0;
		(void)nanosleep(&LOOK_PAUSE, NULL); /* woken early: looked early */
	}
}

static void look_at_disks(struct maker *m)
{
	for (size_t i = 0; i < m->n_disks; i++) {
		if (m->disks[i].is_missing)
			continue;
		disk_look(&m->disks[i], -1);
		lvm_fill_facts(&m->lvm, &m->disks[i]);
	}
	disk_policy_decide(m->disks, m->n_disks, m->plan->wipe, m->verdicts);
	for (size_t i = 0; i < m->n_disks; i++)
		tell("%s", m->verdicts[i].why);
}

/* --- doing ---------------------------------------------------------------------------------- */

static int join_disks(struct maker *m)
{
	char error[DISK_ERROR_MAX];

	look_at_disks(m);
	if (!m->lvm.has_mapper)
		return fail(m, "this kernel has no device-mapper", "no volume can be made");
	for (size_t i = 0; i < m->n_disks; i++) {
		enum disk_act act = m->verdicts[i].act;

		if (act != DISK_TAKE && act != DISK_WIPE)
			continue;
		if (disk_take(m->plan, &m->lvm, &m->disks[i], &m->verdicts[i], error) == 0)
			tell("%s is in group " LVM_GROUP " now", m->disks[i].node);
		else
			tell("%s", error);
	}
	return 0;
}

static int migrate(struct maker *m)
{
	static const char *const arguments[] = { "vgchange", "--addtag", LVM_TAG_OURS, LVM_GROUP,
		                                 NULL };
	int r;

	if (!m->plan->migrate || !m->lvm.group.exists || m->lvm.group.is_ours)
		return 0;
	r = lvm_do(&m->lvm, NULL, arguments);
	if (r < 0)
		return fail(m, "group " LVM_GROUP " cannot be tagged as ours", m->lvm.error);
	tell("group " LVM_GROUP " is ours from now on, as cci.migrate permits");
	return lvm_refresh(&m->lvm) < 0 ? fail(m, "lvm", m->lvm.error) : 0;
}

static int make_volumes(struct maker *m)
{
	int r;

	r = wait_for_disks(m);
	if (r == 0)
		r = migrate(m);
	if (r == 0 && volume_plan_needs_disks(m->plan, &m->lvm.group))
		r = join_disks(m);
	if (r < 0)
		return r;
	r = volume_plan_decide(m->plan, &m->lvm.group, &m->steps);
	m->is_fatal |= r == VOLUME_PLAN_ABSENT;
	if (r != 0)
		return fail(m, m->steps.why, "");
	if (!m->lvm.has_mapper)
		return fail(m, "this kernel has no device-mapper", "no volume can be used");
	notify_extend(m->plan->timeout);
	r = volumes_make(m->plan, &m->lvm, &m->steps, m->error);
	m->is_told = r < 0 && !m->error[0];
	return r;
}

/* os_partition= that is no volume of ours: it has to be there, and nothing is made. */
static int wait_for_partition(struct maker *m)
{
	usec_t end = usec_add(clock_now(), m->plan->timeout);

	while (access(m->plan->partition, F_OK) < 0) {
		if (clock_now() >= end) {
			m->is_fatal = true;
			return fail(m, m->plan->partition, "there is no such device");
		}
		(void)nanosleep(&LOOK_PAUSE, NULL); /* woken early: looked early */
	}
	return 0;
}

static int make_root(struct maker *m)
{
	int r;

	if (m->plan->partition[0])
		return wait_for_partition(m);
	r = lvm_open(&m->lvm);
	if (r < 0)
		return fail(m, "lvm", m->lvm.error[0] ? m->lvm.error : strerror(-r));
	if (!m->lvm.is_there)
		return fail(m, "this image has no lvm",
		            "it must be made with cci_local=yes (docs/initramfs.md)");
	return make_volumes(m);
}

/* --- the outcome ---------------------------------------------------------------------------- */

/* The steps that follow read what came of this one. */
static int rewrite_plan(const struct plan *plan)
{
	CLEANUP(freep) uint8_t *room = malloc(PLAN_FILE_MAX);
	struct bytes text = { .data = room, .cap = PLAN_FILE_MAX };
	CLEANUP(fd_closep) int dir = -1;
	int r;

	if (!room)
		return tell_failure(CAUSE_MEMORY, "no memory for a plan");
	plan_write(plan, &text);
	dir = open(CCI_RUN_DIR, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	r = dir < 0 ? -errno : file_write_durably(dir, "plan", bytes_slice(&text), 0600);
	if (r < 0)
		return tell_failure(CAUSE_PLAN, "cannot write %s: %s", CCI_PLAN_FILE, strerror(-r));
	return 0;
}

/* The same root, and a tmpfs for what is written. */
static int do_without(const struct plan *plan, const char *why)
{
	struct plan instead = *plan;
	char detail[DISK_ERROR_MAX + 64], no_answer[REPORT_WHY_MAX];

	instead.local = PLAN_LOCAL_NONE;
	instead.overlay = true;
	instead.read_only = true;
	(void)snprintf(detail, sizeof(detail), "no disk is used, the root is below a tmpfs: %s",
	               why);
	tell("%s", detail);
	volume_source_wait_network(plan);
	if (report_stage(plan, "degraded", detail, no_answer) < 0) {
		tell("the server does not know of it yet: %s", no_answer);
		tell_stage("degraded");
	}
	if (plan->kind == PLAN_HTTP && volume_source_fetch(plan, NULL, NULL) < 0)
		return -ECANCELED;
	return rewrite_plan(&instead);
}

static int end(struct maker *m, int r)
{
	struct plan made = *m->plan;

	if (r == 0) {
		made.is_new = m->steps.is_new;
		return rewrite_plan(&made);
	}
	if (m->is_told)
		return r;
	if (!m->is_fatal && plan_may_do_without_disk(m->plan))
		return do_without(m->plan, m->error);
	return tell_failure(CAUSE_DISK, "%s", m->error);
}

int disk_make(const struct plan *plan)
{
	CLEANUP(freep) struct maker *m = calloc(1, sizeof(*m));
	int r;

	if (plan->local == PLAN_LOCAL_NONE)
		return 0;
	if (!m)
		return tell_failure(CAUSE_MEMORY, "no memory for volumes");
	m->plan = plan;
	r = make_root(m);
	lvm_close(&m->lvm);
	return end(m, r);
}

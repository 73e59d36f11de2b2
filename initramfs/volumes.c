/* SPDX-License-Identifier: MulanPSL-2.0 */
#include "initramfs/volumes.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <sys/stat.h>

#include "initramfs/tell.h"
#include "lib/base/macro.h"
#include "lib/base/text.h"
#include "lib/format/size.h"

struct worker {
	const struct plan *plan;
	struct lvm *lvm;
	char *error;
};

/* "os/NAME", as lvm takes it. */
struct full_name {
	char text[VOLUME_NAME_MAX + 8];
};

static struct full_name full_name(const char *name)
{
	struct full_name full;

	(void)snprintf(full.text, sizeof(full.text), LVM_GROUP "/%s", name);
	return full;
}

static int do_lvm(struct worker *w, const char *what, const char *const arguments[])
{
	int r = lvm_do(w->lvm, NULL, arguments);

	if (r == 0)
		return 0;
	(void)snprintf(w->error, VOLUME_ERROR_MAX, "cannot %s: %s", what,
	               r == -EIO ? w->lvm->error : strerror(-r));
	return -ECANCELED;
}

static int remove_volume(struct worker *w, const struct volume_step *step)
{
	struct full_name full = full_name(step->name);
	const char *const arguments[] = { "lvremove", "-f", full.text, NULL };

	tell("volume %s is removed: %s", step->name, step->why);
	return do_lvm(w, "remove a volume", arguments);
}

static int rename_volume(struct worker *w, const struct volume_step *step)
{
	const char *const arguments[] = { "lvrename", LVM_GROUP, step->name, step->to, NULL };

	tell("volume %s becomes %s: %s", step->name, step->to, step->why);
	return do_lvm(w, "rename a volume", arguments);
}

static int create_volume(struct worker *w, const struct volume_step *step)
{
	char size[SIZE_TEXT_MAX], bytes[32];
	/* -y: signatures that an earlier volume left there are ours to overwrite */
	const char *const arguments[] = {
		"lvcreate", "-y",       "-Wy",      "-Zy",        "-L",      bytes,
		"-n",       step->name, "--addtag", LVM_TAG_PART, LVM_GROUP, NULL,
	};

	(void)snprintf(bytes, sizeof(bytes), "%" PRIu64 "b", step->size);
	tell("volume %s is made: %s", step->name, size_format(step->size, size));
	return do_lvm(w, "make a volume", arguments);
}

/* Makes its node appear. lvm makes it itself, without udev. */
static int activate(struct worker *w, const char *name, char node[LVM_NODE_MAX])
{
	struct full_name full = full_name(name);
	/* -y: of a snapshot, that its origin is activated too */
	const char *const arguments[] = { "lvchange", "-y", "-ay", full.text, NULL };
	struct stat st;
	int r = do_lvm(w, "activate a volume", arguments);

	if (r < 0)
		return r;
	lvm_names_node(name, node);
	if (stat(node, &st) == 0 && S_ISBLK(st.st_mode))
		return 0;
	(void)snprintf(w->error, VOLUME_ERROR_MAX, "%s did not appear", node);
	return -ECANCELED;
}

static int fill_volume(struct worker *w, const struct volume_step *step)
{
	char node[LVM_NODE_MAX];
	int r = activate(w, step->name, node);

	if (r < 0)
		return r;
	tell("volume %s is filled from %s", step->name, w->plan->source);
	return volume_fill(w->plan, node, w->error);
}

static int copy_volume(struct worker *w, const struct volume_step *step)
{
	char node[LVM_NODE_MAX], from[LVM_NODE_MAX];
	int r = activate(w, step->to, from);

	if (r == 0)
		r = activate(w, step->name, node);
	if (r < 0)
		return r;
	tell("volume %s is filled from volume %s", step->name, step->to);
	return volume_copy(from, node, w->error);
}

/*
 * The tag first: a part that has it needs nothing more but these steps, while one that is read-only
 * and has none could not be gone on with. Both may be done twice.
 */
static int seal_volume(struct worker *w, const struct volume_step *step)
{
	struct full_name full = full_name(step->name);
	const char *const read_only[] = { "lvchange", "-pr", full.text, NULL };
	const char *const tag[] = { "lvchange",   "--addtag", LVM_TAG_WHOLE, "--deltag",
		                    LVM_TAG_PART, full.text,  NULL };
	const struct lvm_volume *before = lvm_group_find(&w->lvm->group, step->name);
	bool is_done = before && !before->is_writable; /* lvm takes it for an error */
	int r = do_lvm(w, "tag a volume", tag);

	if (r == 0 && step->is_read_only && !is_done)
		r = do_lvm(w, "make a volume read-only", read_only);
	return r;
}

static int make_snapshot(struct worker *w, const struct volume_step *step)
{
	struct full_name origin = full_name(step->to);
	char bytes[32], size[SIZE_TEXT_MAX];
	const char *const arguments[] = { "lvcreate", "-y", "-s", "-L",        bytes, "-n",
		                          step->name, "-p", "rw", origin.text, NULL };

	(void)snprintf(bytes, sizeof(bytes), "%" PRIu64 "b", step->size);
	tell("volume %s is made: a snapshot of %s with %s for changes", step->name, step->to,
	     size_format(step->size, size));
	return do_lvm(w, "make a snapshot", arguments);
}

static int take_step(struct worker *w, const struct volume_step *step)
{
	char node[LVM_NODE_MAX];

	switch (step->op) {
	case VOLUME_REMOVE:
		return remove_volume(w, step);
	case VOLUME_RENAME:
		return rename_volume(w, step);
	case VOLUME_CREATE:
		return create_volume(w, step);
	case VOLUME_FILL:
		return fill_volume(w, step);
	case VOLUME_COPY:
		return copy_volume(w, step);
	case VOLUME_SEAL:
		return seal_volume(w, step);
	case VOLUME_SNAPSHOT:
		return make_snapshot(w, step);
	case VOLUME_USE:
		return activate(w, step->name, node);
	case _VOLUME_OP_MAX:
		break;
	}
	return -ECANCELED;
}

int volumes_make(const struct plan *plan, struct lvm *lvm, const struct volume_plan *steps,
                 char *error)
{
	struct worker w = { .plan = plan, .lvm = lvm, .error = error };
	int r = 0;

	error[0] = '\0';
	for (size_t i = 0; i < steps->n_steps && r == 0; i++)
		r = take_step(&w, &steps->steps[i]);
	return r;
}

/* SPDX-License-Identifier: MulanPSL-2.0 */
#include "initramfs/deploy_fstab.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "initramfs/device.h"
#include "initramfs/fstab.h"
#include "initramfs/mount_tree.h"
#include "initramfs/new_root.h"
#include "initramfs/paths.h"
#include "initramfs/tell.h"
#include "lib/sys/fd.h"

#define FSTAB_MAX (1 << 20)

/* Returns how many lines have been changed. */
static unsigned relax(struct slice old, struct buffer *out)
{
	struct fstab_line line;
	unsigned n = 0;

	while (fstab_next(&old, &line)) {
		if (fstab_line_waits(&line) && !device_is_there(line.source)) {
			fstab_append_relaxed(&line, out);
			n++;
		} else {
			buffer_append_slice(out, line.text);
		}
	}
	return n;
}

/* Not one that was made just now: that is an image's still. */
static bool is_own_disk(const struct plan *plan)
{
	return !plan->overlay && !plan->is_new &&
	       (plan->kind == PLAN_DEVICE || plan->local != PLAN_LOCAL_NONE);
}

/* The first original is kept: a later boot would only find our own work. */
static int write_over(int root_fd, struct slice old, struct slice changed)
{
	CLEANUP(fd_closep) int kept = new_root_open(root_fd, "etc/fstab.cci-orig", O_PATH, 0);
	int r = 0;

	if (kept < 0)
		r = new_root_write(root_fd, "etc", "fstab.cci-orig", old, 0644);
	return r < 0 ? r : new_root_write(root_fd, "etc", "fstab", changed, 0644);
}

/* For a root that nobody may write to. */
static int bind_over(int root_fd, struct slice changed)
{
	CLEANUP(fd_closep) int run = open(CCI_RUN_DIR, O_PATH | O_DIRECTORY | O_CLOEXEC);
	CLEANUP(fd_closep) int target = new_root_open(root_fd, "etc/fstab", O_PATH, 0);
	char path[256];
	int r;

	if (run < 0)
		return -errno;
	if (target < 0)
		return target;
	r = new_root_write(run, ".", "fstab", changed, 0644);
	if (r < 0)
		return r;
	r = new_root_path(target, path, sizeof(path));
	if (r < 0)
		return r;
	return mount_bind(CCI_RUN_DIR "/fstab", path, true);
}

static void tell_changed(const struct plan *plan, unsigned n)
{
	if (n > 0 && is_own_disk(plan))
		tell("%u lines of fstab name devices that are not here; they are not waited for",
		     n);
	else if (n > 0)
		tell("%u lines of the image's fstab are left out%s", n,
		     plan->overlay || !plan->read_only ? "; all are in fstab.cci-orig" : "");
}

int deploy_fstab(int root_fd, const struct plan *plan)
{
	bool is_writable = plan->overlay || !plan->read_only;
	struct buffer old = BUFFER_NULL, changed = BUFFER_NULL;
	unsigned n = 0;
	int r;

	r = new_root_read(root_fd, "etc/fstab", FSTAB_MAX, &old);
	if (r == -ENOENT)
		return 0;
	if (r == 0 && is_own_disk(plan))
		n = relax(buffer_slice(&old), &changed);
	else if (r == 0)
		n = fstab_filter(buffer_slice(&old), &changed);
	if (r == 0)
		r = buffer_error(&changed);
	if (r == 0 && n > 0 && is_writable)
		r = write_over(root_fd, buffer_slice(&old), buffer_slice(&changed));
	else if (r == 0 && n > 0)
		r = bind_over(root_fd, buffer_slice(&changed));
	buffer_deinit(&old);
	buffer_deinit(&changed);
	if (r < 0)
		return tell_failure(CAUSE_DEPLOY, "cannot change fstab: %s", strerror(-r));
	tell_changed(plan, n);
	return 0;
}

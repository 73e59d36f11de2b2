/* SPDX-License-Identifier: MulanPSL-2.0 */
#include "initramfs/deploy.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "initramfs/copy_tree.h"
#include "initramfs/deploy_fstab.h"
#include "initramfs/handover.h"
#include "initramfs/layers.h"
#include "initramfs/mount_tree.h"
#include "initramfs/new_root.h"
#include "initramfs/paths.h"
#include "initramfs/report.h"
#include "initramfs/tell.h"
#include "initramfs/watchdog.h"
#include "lib/base/text.h"
#include "lib/sys/fd.h"

/* Copies one directory of the initramfs; one that is not there is no failure. */
static int copy_one(int root_fd, const char *source, const char *target, bool no_clobber)
{
	struct copy_request request = { .root_fd = root_fd,
		                        .target = target,
		                        .no_clobber = no_clobber };
	CLEANUP(fd_closep) int fd = -1;
	struct copy_result result;
	int r;

	fd = open(source, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0 && (errno == ENOENT || errno == ENOTDIR))
		return 0;
	if (fd < 0)
		return tell_failure(CAUSE_DEPLOY, "cannot read %s: %s", source, strerror(errno));
	request.source_fd = fd;
	r = copy_tree(&request, &result);
	if (r < 0)
		return tell_failure(CAUSE_DEPLOY, "cannot copy %s into the new root: %s: %s",
		                    source, result.path[0] ? result.path : target, strerror(-r));
	tell_debug("%s: %" PRIu64 " files, %" PRIu64 " bytes copied, %u left as they were", source,
	           result.n_files, result.n_bytes, result.n_kept);
	return 0;
}

/* Only for a root that has no modules of this kernel at all. */
static int copy_modules(int root_fd)
{
	char path[128];
	struct utsname name;
	int fd, r;

	if (uname(&name) < 0)
		return 0; /* cannot happen; nothing depends on it */
	(void)snprintf(path, sizeof(path), "/lib/modules/%.64s", name.release);
	fd = new_root_open(root_fd, path, O_PATH | O_DIRECTORY, 0);
	if (fd >= 0) {
		fd_close(&fd);
		return 0;
	}
	r = copy_one(root_fd, path, path, true);
	if (r < 0)
		return r;
	return copy_one(root_fd, "/lib/firmware", "/lib/firmware", true);
}

static int copy_all(int root_fd)
{
	static const struct {
		const char *source, *target;
	} trees[] = {
		{ "/lkp", "lkp" },         { "/lkp/lkp/src/rootfs/addon", "." },
		{ "/opt", "opt" },         { "/usr/local", "usr/local" },
		{ "/usr/src", "usr/src" },
	};
	int r;

	r = copy_one(root_fd, "/custom_bootstrap", ".", false);
	if (r < 0 || access("/lkp", F_OK) < 0)
		return r;
	for (size_t i = 0; i < ARRAY_SIZE(trees); i++) {
		r = copy_one(root_fd, trees[i].source, trees[i].target, false);
		if (r < 0)
			return r;
	}
	return copy_modules(root_fd);
}

/*
 * A root that nobody may write to still gets its job: /lkp as a tmpfs, where the root has such a
 * directory. Nothing else can be put into it.
 */
static int lay_job_over(int root_fd)
{
	CLEANUP(fd_closep) int place = -1;
	char target[256], error[MOUNT_ERROR_MAX];
	const struct mount_request request = {
		.type = "tmpfs",
		.source = "cci-lkp",
		.target = target,
		.options = { { "mode", "0755" } },
	};
	int r;

	if (access("/lkp", F_OK) < 0)
		return 0;
	place = new_root_open(root_fd, "lkp", O_PATH | O_DIRECTORY, 0);
	if (place < 0) {
		tell("the root is read-only and has no directory /lkp: the job stays outside; use "
		     "rootovl or rw");
		return 0;
	}
	r = new_root_path(place, target, sizeof(target));
	if (r < 0)
		return tell_failure(CAUSE_DEPLOY, "cannot find /lkp: %s", strerror(-r));
	r = mount_make(&request, error);
	if (r < 0)
		return tell_failure(CAUSE_DEPLOY, "cannot mount a tmpfs on /lkp: %s", error);
	return copy_one(root_fd, "/lkp", "lkp", false);
}

/* An agent that ran when its image was made must not look like one that died. */
static void remove_stale_pid(int root_fd)
{
	CLEANUP(fd_closep) int run = new_root_open(root_fd, "lkp/run", O_PATH | O_DIRECTORY, 0);

	if (run >= 0)
		(void)unlinkat(run, "lkp-bootstrap.pid", 0); /* mostly it is not there */
}

static bool is_net(const struct plan *plan)
{
	return (plan->kind == PLAN_NFS || plan->kind == PLAN_CIFS) &&
	       plan->local == PLAN_LOCAL_NONE;
}

int deploy(const struct plan *plan)
{
	CLEANUP(fd_closep) int root_fd = -1;
	bool is_writable;
	int r;

	if (!mount_is_at(CCI_NEW_ROOT))
		return tell_failure(CAUSE_DEPLOY, "nothing is mounted on %s", CCI_NEW_ROOT);
	root_fd = open(CCI_NEW_ROOT, O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (root_fd < 0)
		return tell_failure(CAUSE_DEPLOY, "cannot open %s: %s", CCI_NEW_ROOT,
		                    strerror(errno));
	is_writable = plan->overlay || !plan->read_only;
	r = is_writable ? copy_all(root_fd) : lay_job_over(root_fd);
	if (r < 0)
		return r;
	remove_stale_pid(root_fd);
	r = deploy_fstab(root_fd, plan);
	if (r < 0)
		return r;
	if (is_writable)
		handover_names(root_fd);
	if (plan->overlay)
		handover_identity(root_fd);
	if (is_net(plan))
		watchdog_leave();
	layers_hide();
	handover_network();
	tell_stage("switch");
	report_stages(plan);
	return 0;
}

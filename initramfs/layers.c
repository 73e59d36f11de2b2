/* SPDX-License-Identifier: MulanPSL-2.0 */
#include "initramfs/layers.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "initramfs/device.h"
#include "initramfs/kmsg.h"
#include "initramfs/loop.h"
#include "initramfs/mount_tree.h"
#include "initramfs/net_mount.h"
#include "initramfs/new_root.h"
#include "initramfs/paths.h"
#include "initramfs/tell.h"
#include "initramfs/upper.h"
#include "lib/sys/fd.h"
#include "lib/sys/file.h"

static int make_directory(const char *path, mode_t mode)
{
	int r = file_make_path(path, mode);

	if (r < 0)
		return tell_failure(CAUSE_MOUNT, "cannot make %s: %s", path, strerror(-r));
	return 0;
}

/* What keeps images away whose kernel would boot into nothing: switch-root asks the same. */
static int check_system(const char *root, const char *source)
{
	static const char *const names[] = { "etc/os-release", "usr/lib/os-release" };
	CLEANUP(fd_closep) int root_fd = -1;

	root_fd = open(root, O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (root_fd < 0)
		return tell_failure(CAUSE_MOUNT, "cannot open %s: %s", root, strerror(errno));
	for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
		CLEANUP(fd_closep) int fd = -1;

		fd = new_root_open(root_fd, names[i], O_PATH, 0);
		if (fd >= 0)
			return 0;
	}
	return tell_failure(CAUSE_MOUNT, "%s holds no system: it has no os-release", source);
}

/* Mounts a device that has been looked at. */
static int mount_device(const struct device *device, const char *target, bool read_only,
                        const char *source)
{
	const struct mount_request request = {
		.type = device->type,
		.source = device->node,
		.target = target,
		.read_only = read_only,
	};
	char error[MOUNT_ERROR_MAX];
	int r;

	r = make_directory(target, 0755);
	if (r < 0)
		return r;
	r = mount_make(&request, error);
	if (r < 0)
		return tell_failure(CAUSE_MOUNT, "cannot mount %s as %s: %s", source, device->type,
		                    error);
	tell_debug("%s (%s) is on %s", source, device->type, target);
	return 0;
}

static int mount_node(const char *node, const char *target, bool read_only)
{
	struct device device;
	int r;

	r = device_probe(node, &device);
	if (r != 0)
		return tell_failure(CAUSE_DEVICE, "cannot use %s: %s", node,
		                    device_outcome_text(r));
	return mount_device(&device, target, read_only, node);
}

static int mount_image(const char *url)
{
	CLEANUP(fd_closep) int loop = -1;
	char node[LOOP_NODE_MAX];
	struct device device;
	int r;

	r = device_probe(CCI_IMG_FILE, &device);
	if (r != 0)
		return tell_failure(CAUSE_MOUNT, "%s is no image of a file system: %s", url,
		                    device_outcome_text(r));
	loop = loop_attach(CCI_IMG_FILE, node);
	if (loop < 0)
		return tell_failure(CAUSE_MOUNT, "cannot make a loop device: %s", strerror(-loop));
	(void)snprintf(device.node, sizeof(device.node), "%s", node);
	return mount_device(&device, CCI_LOWER_DIR, true, url);
}

static int mount_overlay(const struct plan *plan)
{
	struct mount_request request = {
		.type = "overlay",
		.source = "cci-root",
		.target = CCI_NEW_ROOT,
		.options = { { "lowerdir", CCI_LOWER_DIR },
		             { "upperdir", CCI_UPPER_DIR },
		             { "workdir", CCI_WORK_DIR } },
	};
	char error[MOUNT_ERROR_MAX], words[192];
	int r = -EINVAL;

	/*
	 * What one boot writes is never read by another, so nobody needs it to be on the disk:
	 * since Linux 5.10 sync(2) may then pass it by.
	 */
	if (plan->upper == PLAN_UPPER_DEVICE) {
		request.options[3].key = "volatile";
		r = mount_make(&request, error);
		request.options[3].key = NULL;
	}
	if (r < 0)
		r = mount_make(&request, error);
	if (r < 0) {
		kmsg_find("overlayfs: ", words, sizeof(words));
		return tell_failure(CAUSE_OVERLAY, "cannot mount the overlay: %s%s%s", error,
		                    words[0] ? "; " : "", words);
	}
	tell_stage("overlay");
	return 0;
}

/*
 * The image alone: sysroot.mount binds what is here. Where they stayed peers, hiding the one would
 * take away what is mounted in the other.
 */
static int show_image(void)
{
	int r = mount_keep_apart(CCI_LOWER_DIR);

	if (r == 0)
		r = mount_bind(CCI_LOWER_DIR, CCI_NEW_ROOT, true);
	if (r < 0)
		return tell_failure(CAUSE_MOUNT, "cannot put the image on %s: %s", CCI_NEW_ROOT,
		                    strerror(-r));
	return 0;
}

/* The root's own node, or that which the disk step has made ready. `room` or a text of the plan. */
static const char *root_node(const struct plan *plan, char room[LVM_NODE_MAX])
{
	if (plan->local == PLAN_LOCAL_NONE)
		return plan->device;
	return plan->volume[0] ? lvm_names_node(plan->volume, room) : plan->partition;
}

static int mount_lower(const struct plan *plan)
{
	char room[LVM_NODE_MAX];

	if (plan->local != PLAN_LOCAL_NONE)
		return mount_node(root_node(plan, room), CCI_LOWER_DIR, true);

	switch (plan->kind) {
	case PLAN_HTTP:
		return mount_image(plan->url);
	case PLAN_DEVICE:
		return mount_node(plan->device, CCI_LOWER_DIR, true);
	case PLAN_NFS:
	case PLAN_CIFS:
		return net_mount(plan, CCI_LOWER_DIR, true);
	case PLAN_NONE:
	case _PLAN_KIND_MAX:
		break;
	}
	return tell_failure(CAUSE_PLAN, "the plan names no root");
}

/* On /sysroot itself: nothing lies over it. */
static int mount_root(const struct plan *plan)
{
	char room[LVM_NODE_MAX];

	if (plan->kind == PLAN_DEVICE || plan->local != PLAN_LOCAL_NONE)
		return mount_node(root_node(plan, room), CCI_NEW_ROOT, plan->read_only);
	return net_mount(plan, CCI_NEW_ROOT, plan->read_only);
}

int layers_make(const struct plan *plan)
{
	bool is_direct;
	int r;

	if (plan->refused[0])
		return tell_failure(CAUSE_REFUSED, "%s", plan->refused);
	is_direct = !plan->overlay && plan->kind != PLAN_NONE &&
	            (plan->kind != PLAN_HTTP || plan->local != PLAN_LOCAL_NONE);
	r = is_direct ? mount_root(plan) : mount_lower(plan);
	if (r < 0)
		return r;
	r = check_system(is_direct ? CCI_NEW_ROOT : CCI_LOWER_DIR,
	                 plan->source[0] ? plan->source : "the root");
	if (r < 0)
		return r;
	tell_stage("root");
	if (!plan->overlay)
		return is_direct ? 0 : show_image();
	r = upper_mount(plan);
	if (r < 0)
		return r;
	return mount_overlay(plan);
}

void layers_hide(void)
{
	static const char *const mounts[] = { CCI_LOWER_DIR, CCI_RW_DIR, CCI_IMG_DIR };

	for (size_t i = 0; i < ARRAY_SIZE(mounts); i++) {
		int r = mount_hide(mounts[i]);

		if (r < 0)
			tell("%s stays in sight: %s", mounts[i], strerror(-r));
	}
	upper_hide();
}

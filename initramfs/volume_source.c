/* SPDX-License-Identifier: MulanPSL-2.0 */
#include "initramfs/volume_source.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "initramfs/device.h"
#include "initramfs/fetch.h"
#include "initramfs/loop.h"
#include "initramfs/mount_tree.h"
#include "initramfs/net_mount.h"
#include "initramfs/notify.h"
#include "initramfs/paths.h"
#include "initramfs/program.h"
#include "initramfs/tell.h"
#include "lib/base/macro.h"
#include "lib/sys/fd.h"
#include "lib/sys/file.h"

#define FOLLOW_PAUSE ((struct timespec){ .tv_nsec = 10 * 1000 * 1000 })

void volume_source_wait_network(const struct plan *plan)
{
	static const char *const start[] = { "systemctl", "start", "network-online.target", NULL };
	char said[PROGRAM_ERROR_MAX];

	notify_extend(2 * plan->timeout);
	(void)program_run(start, NULL, said); /* without it the fetch says what is missing */
}

/* Waits for the process to end. Returns its status or -errno. */
static int wait_for(pid_t pid, volume_source_follow follow, void *arg)
{
	int status;
	pid_t r;

	for (;;) {
		r = waitpid(pid, &status, follow ? WNOHANG : 0);
		if (r == pid)
			return status;
		if (r < 0 && errno != EINTR)
			return -errno;
		if (follow) {
			follow(arg);
			(void)nanosleep(&FOLLOW_PAUSE, NULL); /* woken early: looked early */
		}
	}
}

int volume_source_fetch(const struct plan *plan, volume_source_follow follow, void *arg)
{
	/* in a process of its own, because https is fetched by another program in its place */
	pid_t pid = fork();
	int status;

	if (pid < 0)
		return tell_failure(CAUSE_MEMORY, "cannot start a process: %s", strerror(errno));
	if (pid == 0)
		_exit(fetch_image(plan) < 0 ? 1 : 0);
	status = wait_for(pid, follow, arg);
	if (status < 0)
		return tell_failure(CAUSE_MEMORY, "cannot wait for a process: %s",
		                    strerror(-status));
	return WIFEXITED(status) && WEXITSTATUS(status) == 0 ? 0 : -ECANCELED;
}

bool volume_source_is_whole_image(const char *type)
{
	return strcmp(type, "ext4") == 0 || strcmp(type, "xfs") == 0;
}

static int open_image(const struct plan *plan, volume_source_follow follow, void *arg,
                      struct volume_source *ret, char *error)
{
	struct mount_request request = { .target = CCI_SOURCE_DIR, .read_only = true };
	CLEANUP(fd_closep) int loop = -1;
	char node[LOOP_NODE_MAX], why[MOUNT_ERROR_MAX];
	struct device device;
	int r;

	error[0] = '\0';
	r = volume_source_fetch(plan, follow, arg);
	if (r < 0)
		return -ECANCELED;
	r = device_probe(CCI_IMG_FILE, &device);
	if (r != 0) {
		(void)snprintf(error, VOLUME_ERROR_MAX, "%.200s is no image of a file system: %s",
		               plan->url, device_outcome_text(r));
		return -ECANCELED;
	}
	(void)snprintf(ret->type, sizeof(ret->type), "%s", device.type);
	ret->is_image = volume_source_is_whole_image(device.type);
	if (ret->is_image)
		return 0;
	loop = loop_attach(CCI_IMG_FILE, node);
	r = loop < 0 ? loop : file_make_path(CCI_SOURCE_DIR, 0755);
	if (r < 0) {
		(void)snprintf(error, VOLUME_ERROR_MAX, "cannot make a loop device: %s",
		               strerror(-r));
		return -ECANCELED;
	}
	request.type = device.type;
	request.source = node;
	if (mount_make(&request, why) < 0) {
		(void)snprintf(error, VOLUME_ERROR_MAX, "cannot mount the image as %s: %s",
		               device.type, why);
		return -ECANCELED;
	}
	return 0;
}

int volume_source_open(const struct plan *plan, volume_source_follow follow, void *arg,
                       struct volume_source *ret, char *error)
{
	*ret = (struct volume_source){ .is_image = false };
	volume_source_wait_network(plan);
	switch (plan->kind) {
	case PLAN_HTTP:
		return open_image(plan, follow, arg, ret, error);
	case PLAN_NFS:
	case PLAN_CIFS:
		error[0] = '\0';
		if (file_make_path(CCI_SOURCE_DIR, 0755) < 0)
			break;
		return net_mount(plan, CCI_SOURCE_DIR, true);
	case PLAN_NONE:
	case PLAN_DEVICE:
	case _PLAN_KIND_MAX:
		break;
	}
	(void)snprintf(error, VOLUME_ERROR_MAX, "a root of kind %s cannot be a source of volumes",
	               plan_kind_to_name((int)plan->kind));
	return -ECANCELED;
}

void volume_source_close(void)
{
	/* the loop device goes with its mount, the image with its tmpfs */
	(void)mount_hide(CCI_SOURCE_DIR);
	(void)mount_hide(CCI_IMG_DIR);
}

/* SPDX-License-Identifier: MulanPSL-2.0 */
#include "initramfs/mount_tree.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/base/bytes.h"
#include "lib/base/macro.h"
#include "lib/sys/fd.h"

#define MESSAGES_MAX 8 /* what a context keeps */

/*
 * The first error among the messages of a file system context ("e overlay: ...", after warnings,
 * "w ..."), or strerror. Reading answers ENODATA when there are no more
 * (Documentation/filesystems/mount_api.rst).
 */
static int explain(int fs_fd, int error, char *text)
{
	char message[MOUNT_ERROR_MAX];
	ssize_t n = -1;

	for (unsigned i = 0; fs_fd >= 0 && i < MESSAGES_MAX; i++) {
		n = read(fs_fd, message, sizeof(message) - 1);
		if (n <= 2 || message[0] == 'e')
			break;
	}
	if (n > 2 && message[0] == 'e') {
		message[n] = '\0';
		message[strcspn(message, "\n")] = '\0';
		(void)snprintf(text, MOUNT_ERROR_MAX, "%.160s (%s)", message + 2, strerror(error));
	} else {
		(void)snprintf(text, MOUNT_ERROR_MAX, "%s", strerror(error));
	}
	return -error;
}

static int make_by_context(int fs_fd, const struct mount_request *request, char *error)
{
	CLEANUP(fd_closep) int mount_fd = -1;
	unsigned attributes = 0;

	if (fsconfig(fs_fd, FSCONFIG_SET_STRING, "source", request->source, 0) < 0)
		return explain(fs_fd, errno, error);
	if (request->read_only && fsconfig(fs_fd, FSCONFIG_SET_FLAG, "ro", NULL, 0) < 0)
		return explain(fs_fd, errno, error);
	for (const struct mount_option *o = request->options; o->key; o++)
		if (fsconfig(fs_fd, o->value ? FSCONFIG_SET_STRING : FSCONFIG_SET_FLAG, o->key,
		             o->value, 0) < 0)
			return explain(fs_fd, errno, error);
	if (fsconfig(fs_fd, FSCONFIG_CMD_CREATE, NULL, NULL, 0) < 0)
		return explain(fs_fd, errno, error);
	if (request->read_only)
		attributes |= MOUNT_ATTR_RDONLY;
	if (request->nosuid)
		attributes |= MOUNT_ATTR_NOSUID;
	if (request->nodev)
		attributes |= MOUNT_ATTR_NODEV;
	if (request->noatime)
		attributes |= MOUNT_ATTR_NOATIME;
	mount_fd = fsmount(fs_fd, FSMOUNT_CLOEXEC, attributes);
	if (mount_fd < 0)
		return explain(fs_fd, errno, error);
	if (move_mount(mount_fd, "", AT_FDCWD, request->target, MOVE_MOUNT_F_EMPTY_PATH) < 0)
		return explain(fs_fd, errno, error);
	return 0;
}

/* Kernels before 5.2, as some under test are. */
static int make_by_mount(const struct mount_request *request, char *error)
{
	char data[4096]; /* a page: what mount(2) takes */
	struct bytes out = BYTES_ON(data);
	unsigned long flags = 0;

	for (const struct mount_option *o = request->options; o->key; o++)
		bytes_printf(&out, "%s%s%s%s", out.len > 0 ? "," : "", o->key, o->value ? "=" : "",
		             o->value ? o->value : "");
	bytes_append_u8(&out, '\0');
	if (out.overflow)
		return explain(-1, E2BIG, error);
	if (request->read_only)
		flags |= MS_RDONLY;
	if (request->nosuid)
		flags |= MS_NOSUID;
	if (request->nodev)
		flags |= MS_NODEV;
	if (request->noatime)
		flags |= MS_NOATIME;
	if (mount(request->source, request->target, request->type, flags, data) < 0)
		return explain(-1, errno, error);
	return 0;
}

int mount_make(const struct mount_request *request, char *error)
{
	CLEANUP(fd_closep) int fs_fd = -1;

	fs_fd = fsopen(request->type, FSOPEN_CLOEXEC);
	if (fs_fd >= 0)
		return make_by_context(fs_fd, request, error);
	if (errno == ENOSYS)
		return make_by_mount(request, error);
	if (errno == ENODEV) {
		(void)snprintf(error, MOUNT_ERROR_MAX, "this kernel has no %.32s", request->type);
		return -ENODEV;
	}
	return explain(-1, errno, error);
}

int mount_bind(const char *source, const char *target, bool read_only)
{
	if (mount(source, target, NULL, MS_BIND, NULL) < 0)
		return -errno;
	/* the flags of a bind count only when it is remounted */
	if (read_only && mount(NULL, target, NULL, MS_REMOUNT | MS_BIND | MS_RDONLY, NULL) < 0)
		return -errno;
	return 0;
}

int mount_keep_apart(const char *target)
{
	return mount(NULL, target, NULL, MS_PRIVATE, NULL) < 0 ? -errno : 0;
}

int mount_hide(const char *target)
{
	if (umount2(target, MNT_DETACH | UMOUNT_NOFOLLOW) < 0 && errno != EINVAL && errno != ENOENT)
		return -errno;
	return 0;
}

/* Before Linux 5.8: another device than the directory it is in. */
static bool is_other_device(const char *path)
{
	struct stat here, above;
	char parent[512];
	int n = snprintf(parent, sizeof(parent), "%s/..", path);

	return n > 0 && (size_t)n < sizeof(parent) && lstat(path, &here) == 0 &&
	       lstat(parent, &above) == 0 && here.st_dev != above.st_dev;
}

bool mount_is_at(const char *path)
{
	struct statx at;

	if (statx(AT_FDCWD, path, AT_SYMLINK_NOFOLLOW | AT_NO_AUTOMOUNT, STATX_TYPE, &at) < 0)
		return false;
	if (!(at.stx_attributes_mask & STATX_ATTR_MOUNT_ROOT))
		return is_other_device(path);
	return at.stx_attributes & STATX_ATTR_MOUNT_ROOT;
}

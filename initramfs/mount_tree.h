/* SPDX-License-Identifier: MulanPSL-2.0 */
/*
 * Mounting by system calls: fsopen(2) and its family, whose errors come with the kernel's own
 * words, or mount(2) on a kernel before 5.2. libmount is left out: it would load two more libraries
 * into every step, adds nothing for types we name ourselves, and 2.38 misreports what overlay
 * refuses.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

struct mount_option {
	const char *key;
	const char *value; /* NULL: a flag */
};

#define MOUNT_OPTIONS_MAX 40
#define MOUNT_ERROR_MAX   256

struct mount_request {
	const char *type, *source, *target;
	struct mount_option options[MOUNT_OPTIONS_MAX]; /* ends with a key of NULL */
	bool read_only, nosuid, nodev, noatime;
};

/*
 * Mounts it. Returns 0, or -errno with the kernel's words or strerror in error[MOUNT_ERROR_MAX].
 * The module of the file system is loaded by the kernel itself.
 */
int mount_make(const struct mount_request *request, char *error);

/* Puts what is mounted at `source` also at `target`. Returns 0 or -errno. */
int mount_bind(const char *source, const char *target, bool read_only);

/*
 * What is mounted or unmounted below `target` stays there: it happens in no copy that was made of
 * it (mount_namespaces(7); systemd makes every mount shared). Returns 0 or -errno.
 */
int mount_keep_apart(const char *target);

/*
 * Takes the mount at `target` out of sight; whoever uses it (an overlay above it, a loop device in
 * it) keeps it. Nothing mounted there is no error. Returns 0 or -errno.
 */
int mount_hide(const char *target);

/* Whether something is mounted at path itself: false also when there is no such path. */
bool mount_is_at(const char *path);

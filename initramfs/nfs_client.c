/* SPDX-License-Identifier: MulanPSL-2.0 */
#include "initramfs/nfs_client.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "initramfs/hardware.h"
#include "initramfs/module.h"
#include "initramfs/tell.h"
#include "lib/base/text.h"
#include "lib/sys/fd.h"
#include "lib/sys/file.h"

/* of this network namespace, since Linux 5.3 */
#define NAMESPACE_FILE "/sys/fs/nfs/net/nfs_client/identifier"
/* of the module, before that */
#define PARAMETER_FILE "/sys/module/nfs/parameters/nfs4_unique_id"

#define NAME_SIZE 64 /* the kernel's NFS4_CLIENT_ID_UNIQ_LEN */

static bool is_named(void)
{
	struct buffer text = BUFFER_NULL;
	bool is_named = file_read_all(AT_FDCWD, PARAMETER_FILE, 256, &text) == 0 &&
	                text_trim(buffer_slice(&text)).len > 0;

	buffer_deinit(&text);
	return is_named;
}

static int write_name(const char *path, const char *name)
{
	CLEANUP(fd_closep) int fd = open(path, O_WRONLY | O_CLOEXEC);

	return fd < 0 ? -errno : fd_write_all(fd, name, strlen(name));
}

/* MAC and the board's UUID, either of which boards and virtual machines have been seen to share. */
static void make_name(const char *mac, char name[NAME_SIZE])
{
	struct buffer uuid = BUFFER_NULL;
	struct slice text = SLICE_NULL;

	if (hardware_read_identity(&uuid) == 0)
		text = text_trim(buffer_slice(&uuid));
	(void)snprintf(name, NAME_SIZE, "cci-%s-%.*s", mac, (int)MIN(text.len, (size_t)40),
	               text.data);
	buffer_deinit(&uuid);
}

void nfs_client_name(void)
{
	char mac[HARDWARE_MAC_SIZE], name[NAME_SIZE];
	int r;

	(void)module_load("nfs"); /* built in, or missed by the mount */
	if (is_named())
		return;
	r = hardware_find_mac(mac);
	if (r == 0) {
		make_name(mac, name);
		r = write_name(NAMESPACE_FILE, name);
		if (r == -ENOENT)
			r = write_name(PARAMETER_FILE, name);
	}
	/* without the module the mount has the better words */
	if (r < 0 && (r != -ENOENT || access("/sys/module/nfs", F_OK) == 0))
		tell("cannot name this machine to NFS servers: %s", strerror(-r));
}

/* SPDX-License-Identifier: MulanPSL-2.0 */
#include "initramfs/upper.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <fts.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "initramfs/device.h"
#include "initramfs/mount_tree.h"
#include "initramfs/paths.h"
#include "initramfs/tell.h"
#include "lib/base/text.h"
#include "lib/sys/clock.h"
#include "lib/sys/file.h"

#define BOOT_ID_FILE "/proc/sys/kernel/random/boot_id"
#define BOOT_ID_LEN  36
#define UPPERS_DIR   CCI_DISK_DIR "/upper"
#define SWEEP_FOR    (10 * USEC_PER_SEC)

static int make_directory(const char *path)
{
	int r = file_make_path(path, 0755);

	if (r < 0)
		return tell_failure(CAUSE_MOUNT, "cannot make %s: %s", path, strerror(-r));
	return 0;
}

/*
 * More than one node of memory: pages of the root then come from all of them in turn, so that what
 * runs on one node is not measured against the others.
 */
static bool has_memory_nodes(void)
{
	return access("/sys/devices/system/node/node1", F_OK) == 0;
}

static int mount_tmpfs(const char *size)
{
	struct mount_request request = {
		.type = "tmpfs",
		.source = "cci-rw",
		.target = CCI_RW_DIR,
		.options = { { "mode", "0755" }, { "size", size } },
	};
	char error[MOUNT_ERROR_MAX];
	int r;

	if (has_memory_nodes())
		request.options[2] = (struct mount_option){ "mpol", "interleave" };
	r = mount_make(&request, error);
	if (r < 0)
		return tell_failure(CAUSE_MOUNT,
		                    "cannot mount a tmpfs of %s for what is written: %s", size,
		                    error);
	return 0;
}

static int mount_disk(const char *node)
{
	struct device device;
	struct mount_request request = {
		.type = device.type,
		.source = device.node,
		.target = CCI_DISK_DIR,
	};
	char error[MOUNT_ERROR_MAX];
	int r;

	r = make_directory(CCI_DISK_DIR);
	if (r < 0)
		return r;
	r = device_probe(node, &device);
	if (r != 0)
		return tell_failure(CAUSE_DEVICE, "cannot use %s: %s", node,
		                    device_outcome_text(r));
	r = mount_make(&request, error);
	if (r < 0)
		return tell_failure(CAUSE_MOUNT, "cannot mount %s as %s: %s", node, device.type,
		                    error);
	return 0;
}

/* The form of a boot's identity: nobody else's directory is ever removed. */
static bool is_boot_id(const char *name)
{
	size_t i = 0;

	for (; name[i]; i++)
		if (char_hex_value(name[i]) < 0 && name[i] != '-')
			return false;
	return i == BOOT_ID_LEN;
}

/* Removes a tree until `end`. Returns whether it is gone. What cannot be removed stays. */
static bool remove_tree(char *path, usec_t end)
{
	char *const paths[] = { path, NULL };
	FTS *tree = fts_open(paths, FTS_PHYSICAL | FTS_NOCHDIR | FTS_XDEV, NULL);
	const FTSENT *entry;
	bool in_time = true;

	if (!tree)
		return false;
	while (in_time && (entry = fts_read(tree))) {
		if (entry->fts_info == FTS_DP)
			(void)rmdir(entry->fts_accpath);
		else if (entry->fts_info != FTS_D)
			(void)unlink(entry->fts_accpath);
		in_time = clock_now() < end;
	}
	(void)fts_close(tree); /* read from only */
	return access(path, F_OK) < 0;
}

static void sweep(const char *boot_id)
{
	usec_t end = usec_add(clock_now(), SWEEP_FOR);
	unsigned n_gone = 0, n_left = 0;
	DIR *uppers = opendir(UPPERS_DIR);
	const struct dirent *entry;

	while (uppers && (entry = readdir(uppers))) {
		char path[512];

		if (!is_boot_id(entry->d_name) || strcmp(entry->d_name, boot_id) == 0)
			continue;
		(void)snprintf(path, sizeof(path), UPPERS_DIR "/%s", entry->d_name);
		if (clock_now() < end && remove_tree(path, end))
			n_gone++;
		else
			n_left++;
	}
	if (uppers)
		(void)closedir(uppers);
	if (n_gone + n_left > 0)
		tell("%u earlier boots' writes are removed, %u are left for the next boot", n_gone,
		     n_left);
}

static int mount_own_part(void)
{
	struct buffer text = BUFFER_NULL;
	char boot_id[BOOT_ID_LEN + 1] = "", path[sizeof(UPPERS_DIR) + BOOT_ID_LEN + 2];
	int r;

	if (file_read_all(AT_FDCWD, BOOT_ID_FILE, 256, &text) == 0)
		(void)text_copy(boot_id, sizeof(boot_id), text_trim(buffer_slice(&text)));
	buffer_deinit(&text);
	if (!is_boot_id(boot_id))
		return tell_failure(CAUSE_MOUNT, "cannot read " BOOT_ID_FILE);
	sweep(boot_id);
	(void)snprintf(path, sizeof(path), UPPERS_DIR "/%s", boot_id);
	r = make_directory(path);
	if (r < 0)
		return r;
	/* upper and work are then below one mount, as an overlay wants them */
	r = mount_bind(path, CCI_RW_DIR, false);
	if (r < 0)
		return tell_failure(CAUSE_MOUNT, "cannot put %s on %s: %s", path, CCI_RW_DIR,
		                    strerror(-r));
	return 0;
}

int upper_mount(const struct plan *plan)
{
	int r;

	r = make_directory(CCI_RW_DIR);
	if (r < 0)
		return r;
	if (plan->upper == PLAN_UPPER_DEVICE) {
		r = mount_disk(plan->upper_device);
		if (r == 0)
			r = mount_own_part();
	} else {
		r = mount_tmpfs(plan->upper_size[0] ? plan->upper_size : "50%");
	}
	if (r < 0)
		return r;
	r = make_directory(CCI_UPPER_DIR);
	if (r < 0)
		return r;
	return make_directory(CCI_WORK_DIR);
}

void upper_hide(void)
{
	int r = mount_hide(CCI_DISK_DIR);

	if (r < 0)
		tell("%s stays in sight: %s", CCI_DISK_DIR, strerror(-r));
}

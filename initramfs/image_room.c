/* SPDX-License-Identifier: MulanPSL-2.0 */
#include "initramfs/image_room.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "initramfs/mount_tree.h"
#include "initramfs/paths.h"
#include "initramfs/tell.h"
#include "lib/base/text.h"
#include "lib/sys/file.h"

#define SLACK ((uint64_t)1 << 20) /* what tmpfs itself needs, and then some */

/* MemAvailable of /proc/meminfo in bytes; 0 when it cannot be read. */
static uint64_t memory_available(void)
{
	static const struct slice name = SLICE_LITERAL("MemAvailable:");
	struct buffer file = BUFFER_NULL;
	uint64_t kilobytes = 0;
	struct slice rest;

	if (file_read_all(AT_FDCWD, "/proc/meminfo", 64 << 10, &file) < 0)
		return 0;
	rest = buffer_slice(&file);
	while (rest.len > 0) {
		struct slice line = slice_cut(&rest, '\n');

		if (!slice_has_prefix(line, name))
			continue;
		line = text_trim(slice_sub(line, name.len, line.len));
		if (text_parse_u64(slice_cut(&line, ' '), UINT64_MAX >> 10, &kilobytes) != 0)
			kilobytes = 0;
	}
	buffer_deinit(&file);
	return kilobytes << 10;
}

static int mount_room(uint64_t size)
{
	char limit[32] = "75%", error[MOUNT_ERROR_MAX];
	const struct mount_request request = {
		.type = "tmpfs",
		.source = "cci-img",
		.target = CCI_IMG_DIR,
		.options = { { "mode", "0700" }, { "size", limit } },
		.nosuid = true,
		.nodev = true,
	};
	uint64_t available = memory_available();
	int r;

	if (size > 0 && available > 0 && size > available)
		return tell_failure(CAUSE_MEMORY,
		                    "the image has %" PRIu64 " MiB, only %" PRIu64
		                    " MiB of memory are available",
		                    size >> 20, available >> 20);
	if (size > 0)
		(void)snprintf(limit, sizeof(limit), "%" PRIu64, size + SLACK);
	r = file_make_path(CCI_IMG_DIR, 0755);
	if (r < 0)
		return tell_failure(CAUSE_MEMORY, "cannot make %s: %s", CCI_IMG_DIR, strerror(-r));
	r = mount_make(&request, error);
	if (r < 0)
		return tell_failure(CAUSE_MEMORY, "cannot mount a tmpfs for the image: %s", error);
	return 0;
}

int image_room_open(uint64_t size)
{
	int fd, r;

	/* one that an earlier try left may be of another size */
	r = mount_hide(CCI_IMG_DIR);
	if (r < 0)
		return tell_failure(CAUSE_MEMORY, "cannot empty %s: %s", CCI_IMG_DIR, strerror(-r));
	r = mount_room(size);
	if (r < 0)
		return r;
	fd = open(CCI_IMG_FILE, O_WRONLY | O_APPEND | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	if (fd < 0)
		return tell_failure(CAUSE_MEMORY, "cannot make %s: %s", CCI_IMG_FILE,
		                    strerror(errno));
	return fd;
}

/* SPDX-License-Identifier: MulanPSL-2.0 */
#include "initramfs/volume_image.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#include "initramfs/device.h"
#include "initramfs/mount_tree.h"
#include "initramfs/paths.h"
#include "initramfs/program.h"
#include "initramfs/tell.h"
#include "initramfs/volume_source.h"
#include "lib/base/macro.h"
#include "lib/sys/clock.h"
#include "lib/sys/fd.h"

#define BLOCK      ((size_t)1 << 20)
#define TYPE_BYTES ((uint64_t)4 << 20) /* so much tells its type */

static bool is_zero(const uint8_t *data, size_t len)
{
	return data[0] == 0 && memcmp(data, data + 1, len - 1) == 0;
}

static int write_block(int fd, const uint8_t *data, size_t len, off_t at)
{
	/* a disk that makes zeros itself need not be sent them */
	if (is_zero(data, len) && fallocate(fd, FALLOC_FL_ZERO_RANGE, at, (off_t)len) == 0)
		return 0;
	while (len > 0) {
		ssize_t n = pwrite(fd, data, len, at);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return n < 0 ? -errno : -EIO;
		data += n;
		at += n;
		len -= (size_t)n;
	}
	return 0;
}

/*
 * Writes the image up to `end`, block by block, zeros too: what was there before may be anything.
 * The disk begins to write at once, so that the end need not wait for all of it.
 */
static int copy_blocks(struct filler *f, uint64_t end)
{
	CLEANUP(freep) uint8_t *room = malloc(BLOCK);
	int r = room ? 0 : -ENOMEM;

	while (f->image.at < end && r == 0) {
		size_t len = (size_t)MIN(end - f->image.at, (uint64_t)BLOCK);
		off_t at = (off_t)f->image.at;
		ssize_t n = fd_pread_all(f->image.fd, room, len, at);

		r = n < 0 ? (int)n : n == 0 ? -EIO : write_block(f->volume_fd, room, (size_t)n, at);
		if (r < 0)
			break;
		/* what fails here, fsync tells */
		(void)sync_file_range(f->volume_fd, at, (off_t)n, SYNC_FILE_RANGE_WRITE);
		f->image.at += (uint64_t)n;
		filler_tell_progress(f, clock_now(), f->image.at, 0);
	}
	return r;
}

static int open_volume_device(struct filler *f)
{
	if (f->volume_fd < 0)
		f->volume_fd = open(f->node, O_WRONLY | O_EXCL | O_CLOEXEC);
	return f->volume_fd < 0 ? -errno : 0;
}

/* Opens the image, from its beginning if it is another than before. */
static int open_image(struct filler *f)
{
	struct stat st;

	if (stat(CCI_IMG_FILE, &st) < 0)
		return -errno;
	if (f->image.fd >= 0 && st.st_dev == f->image.st.st_dev &&
	    st.st_ino == f->image.st.st_ino) {
		f->image.st = st;
		return 0;
	}
	fd_close(&f->image.fd);
	f->image.at = 0;
	f->image.type[0] = '\0';
	f->image.fd = open(CCI_IMG_FILE, O_RDONLY | O_CLOEXEC);
	if (f->image.fd < 0 || fstat(f->image.fd, &f->image.st) < 0)
		return -errno;
	return 0;
}

void volume_image_follow(void *arg)
{
	struct filler *f = arg;
	struct device device;
	uint64_t size;

	if (f->image.failed < 0 || open_image(f) < 0)
		return;
	size = (uint64_t)f->image.st.st_size;
	if (size < TYPE_BYTES)
		return;
	if (!f->image.type[0] && device_probe(CCI_IMG_FILE, &device) == 0)
		(void)snprintf(f->image.type, sizeof(f->image.type), "%s", device.type);
	if (!volume_source_is_whole_image(f->image.type))
		return;
	f->told = clock_now(); /* the fetch tells how far it is */
	f->image.failed = open_volume_device(f);
	if (f->image.failed == 0)
		f->image.failed = copy_blocks(f, size);
}

/* The file system takes the whole volume. One that stays small is no failure. */
static void grow(struct filler *f, const char *type)
{
	const char *const ext4[] = { "resize2fs", "-f", f->node, NULL };
	const char *const xfs[] = { "xfs_growfs", CCI_VOLUME_DIR, NULL };
	char said[PROGRAM_ERROR_MAX] = "it cannot be mounted";
	int r;

	if (strcmp(type, "xfs") != 0) {
		r = program_run(ext4, NULL, said);
	} else {
		r = filler_mount(f->node, type, false, CCI_VOLUME_DIR, said);
		if (r == 0)
			r = program_run(xfs, NULL, said);
		(void)umount2(CCI_VOLUME_DIR, 0); /* checked by the mount that follows */
	}
	if (r != 0)
		tell("%s: keeps the size of the image: %s", f->node, r < 0 ? strerror(-r) : said);
}

/* The image must be a system that the kernel mounts. */
static int try_image(struct filler *f, const char *type)
{
	char why[MOUNT_ERROR_MAX];

	if (filler_mount(f->node, type, true, CCI_VOLUME_DIR, why) < 0)
		return filler_fail(f, "mount", why);
	if (umount2(CCI_VOLUME_DIR, 0) < 0)
		return filler_fail(f, "unmount", strerror(errno));
	return 0;
}

/* The rest of it, if it has been followed as what it is. */
static int write_image(struct filler *f, const char *type)
{
	uint64_t size;
	int r;

	r = open_image(f);
	if (r == 0)
		r = open_volume_device(f);
	if (r < 0)
		return filler_fail(f, "open", strerror(-r));
	size = (uint64_t)f->image.st.st_size;
	if (strcmp(f->image.type, type) != 0)
		f->image.at = 0;
	r = f->image.failed < 0 ? f->image.failed : copy_blocks(f, size);
	if (r == 0 && fsync(f->volume_fd) < 0)
		r = -errno;
	if (r < 0)
		return filler_fail_errno(f, "cannot be written", r);
	fd_close(&f->volume_fd);
	filler_tell_end(f, size, 1);
	return 0;
}

int volume_image_fill(struct filler *f, const char *type)
{
	int r = write_image(f, type);

	if (r < 0)
		return r;
	grow(f, type);
	return try_image(f, type);
}

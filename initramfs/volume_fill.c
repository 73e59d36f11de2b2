/* SPDX-License-Identifier: MulanPSL-2.0 */
#include "initramfs/volume_fill.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#include "initramfs/copy_file.h"
#include "initramfs/copy_tree.h"
#include "initramfs/device.h"
#include "initramfs/fstab.h"
#include "initramfs/mount_tree.h"
#include "initramfs/new_root.h"
#include "initramfs/notify.h"
#include "initramfs/paths.h"
#include "initramfs/program.h"
#include "initramfs/tell.h"
#include "initramfs/volume_source.h"
#include "lib/base/text.h"
#include "lib/sys/clock.h"
#include "lib/sys/fd.h"
#include "lib/sys/file.h"

#define MARK       ".cci-part" /* in the volume's root, while it is filled */
#define MARK_MAX   8192
#define MARK_EVERY (5 * USEC_PER_SEC)
#define TELL_EVERY (2 * USEC_PER_SEC)
#define EXTEND_BY  (120 * USEC_PER_SEC) /* one file of a slow network must fit in */
#define FSTAB_MAX  (1 << 20)
#define BLOCK      ((size_t)1 << 20)

struct filler {
	const char *node, *source; /* what the mark says that it is a copy of */
	int source_fd, volume_fd;
	usec_t begin, told, marked;
	char *error;
};

static int fail(struct filler *f, const char *what, const char *why)
{
	(void)snprintf(f->error, VOLUME_ERROR_MAX, "%s: %s: %s", f->node, what, why);
	return -ECANCELED;
}

static int fail_errno(struct filler *f, const char *what, int error)
{
	return fail(f, what,
	            error == -ENOSPC ? "it is full: a larger os_lv_size= is needed"
	                             : strerror(-error));
}

/* --- progress ------------------------------------------------------------------------------- */

static void tell_progress(struct filler *f, usec_t now, uint64_t n_bytes, uint64_t n_files)
{
	double seconds = (double)MAX(usec_sub(now, f->begin), (usec_t)1) / USEC_PER_SEC;

	if (usec_sub(now, f->told) < TELL_EVERY)
		return;
	f->told = now;
	notify_extend(EXTEND_BY);
	if (n_files > 0)
		tell("%" PRIu64 " files, %.1f MB, %.1f MB/s", n_files, (double)n_bytes / 1e6,
		     (double)n_bytes / 1e6 / seconds);
	else
		tell("%.1f MB, %.1f MB/s", (double)n_bytes / 1e6, (double)n_bytes / 1e6 / seconds);
}

static void tell_end(const struct filler *f, uint64_t n_bytes, uint64_t n_names)
{
	double seconds = (double)MAX(usec_sub(clock_now(), f->begin), (usec_t)1) / USEC_PER_SEC;

	tell("%s: %" PRIu64 " names, %.1f MB in %.2f s, %.1f MB/s, all on the disk", f->node,
	     n_names, (double)n_bytes / 1e6, seconds, (double)n_bytes / 1e6 / seconds);
}

/* Everything up to this name is on the disk, then the mark says so. */
static int write_mark(struct filler *f, const char *path)
{
	uint8_t room[MARK_MAX];
	struct bytes text = BYTES_ON(room);

	if (syncfs(f->volume_fd) < 0)
		return -errno;
	bytes_printf(&text, "%s\n%s\n", f->source, path);
	if (text.overflow)
		return 0; /* the mark before this one holds */
	return file_write_durably(f->volume_fd, MARK, bytes_slice(&text), 0600);
}

static int after_each(void *arg, const char *path, const struct copy_result *so_far)
{
	struct filler *f = arg;
	usec_t now = clock_now();

	tell_progress(f, now, so_far->n_bytes, so_far->n_files);
	if (usec_sub(now, f->marked) < MARK_EVERY)
		return 0;
	f->marked = now;
	return write_mark(f, path);
}

/* Reads how far an earlier boot came with the same source. "": nowhere. */
static void read_mark(struct filler *f, char *path, size_t size)
{
	struct buffer text = BUFFER_NULL;
	struct slice rest;

	path[0] = '\0';
	if (file_read_all(f->volume_fd, MARK, MARK_MAX, &text) == 0) {
		rest = buffer_slice(&text);
		if (text_equal(slice_cut(&rest, '\n'), f->source))
			(void)text_copy(path, size, slice_cut(&rest, '\n'));
	}
	buffer_deinit(&text);
}

/* --- file systems --------------------------------------------------------------------------- */

/* What the source's fstab names for its root, if this image can make it. */
static void choose_type(struct filler *f, char *type, size_t size)
{
	struct buffer text = BUFFER_NULL;

	(void)snprintf(type, size, "ext4");
	if (new_root_read(f->source_fd, "etc/fstab", FSTAB_MAX, &text) == 0 &&
	    text_equal(fstab_root_type(buffer_slice(&text)), "xfs")) {
		if (access("/usr/sbin/mkfs.xfs", X_OK) == 0 || access("/sbin/mkfs.xfs", X_OK) == 0)
			(void)snprintf(type, size, "xfs");
		else
			tell("the source's fstab wants xfs; this image has no mkfs.xfs: ext4");
	}
	buffer_deinit(&text);
}

static int make_file_system(struct filler *f, const char *type)
{
	const char *const ext4[] = { "mkfs.ext4", "-q", "-F", f->node, NULL };
	const char *const xfs[] = { "mkfs.xfs", "-q", "-f", f->node, NULL };
	char said[PROGRAM_ERROR_MAX];
	int r = program_run(strcmp(type, "xfs") == 0 ? xfs : ext4, NULL, said);

	if (r < 0)
		return fail(f, "cannot run mkfs", strerror(-r));
	return r == 0 ? 0 : fail(f, "mkfs", said[0] ? said : "failed");
}

static int mount_volume(const char *node, const char *type, bool read_only, const char *target,
                        char *why)
{
	const struct mount_request request = {
		.type = type, .source = node, .target = target, .read_only = read_only
	};
	int r = file_make_path(target, 0755);

	if (r < 0) {
		(void)snprintf(why, MOUNT_ERROR_MAX, "%s: %s", target, strerror(-r));
		return r;
	}
	return mount_make(&request, why);
}

static int open_volume(struct filler *f)
{
	f->volume_fd = open(CCI_VOLUME_DIR, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	return f->volume_fd < 0 ? fail(f, "open", strerror(errno)) : 0;
}

/* Mounts what an earlier boot began, if it can be gone on with. Returns whether it can. */
static bool mount_begun(struct filler *f, char *done_to, size_t size)
{
	char why[MOUNT_ERROR_MAX];
	struct device device;

	if (device_probe(f->node, &device) != 0 ||
	    mount_volume(f->node, device.type, false, CCI_VOLUME_DIR, why) < 0)
		return false;
	if (open_volume(f) == 0)
		read_mark(f, done_to, size);
	if (done_to[0])
		return true;
	fd_close(&f->volume_fd);
	(void)umount2(CCI_VOLUME_DIR, 0); /* mkfs says so if this fails */
	return false;
}

static int mount_new(struct filler *f)
{
	char type[32], why[MOUNT_ERROR_MAX];
	int r;

	choose_type(f, type, sizeof(type));
	r = make_file_system(f, type);
	if (r < 0)
		return r;
	if (mount_volume(f->node, type, false, CCI_VOLUME_DIR, why) < 0)
		return fail(f, "mount", why);
	return open_volume(f);
}

/* An error of the disk that no write met before is met here. */
static int unmount_volume(struct filler *f)
{
	int r = syncfs(f->volume_fd) < 0 ? -errno : 0;

	fd_close(&f->volume_fd);
	if (umount2(CCI_VOLUME_DIR, 0) < 0 && r == 0)
		r = -errno;
	return r < 0 ? fail_errno(f, "cannot be written", r) : 0;
}

/* --- copying -------------------------------------------------------------------------------- */

/* As many names and bytes must be there, besides what mkfs made. */
static int compare_counts(struct filler *f, const struct copy_result *copied)
{
	struct copy_result there;
	char text[160];
	struct stat st;
	int r = copy_tree_count(f->volume_fd, &there);

	if (r < 0)
		return fail_errno(f, "cannot be read again", r);
	if (fstatat(f->volume_fd, "lost+found", &st, AT_SYMLINK_NOFOLLOW) == 0 &&
	    fstatat(f->source_fd, "lost+found", &st, AT_SYMLINK_NOFOLLOW) < 0)
		there.n_names--;
	if (there.n_names == copied->n_names && there.n_name_bytes == copied->n_name_bytes)
		return 0;
	(void)snprintf(text, sizeof(text),
	               "%" PRIu64 " names with %" PRIu64 " bytes of %" PRIu64 " with %" PRIu64,
	               there.n_names, there.n_name_bytes, copied->n_names, copied->n_name_bytes);
	return fail(f, "is not whole", text);
}

static int copy_names(struct filler *f, const char *done_to)
{
	const struct copy_request request = {
		.source_fd = f->source_fd,
		.root_fd = f->volume_fd,
		.target = ".",
		.is_mirror = true,
		.done_to = done_to,
		.done = after_each,
		.arg = f,
	};
	struct copy_result result;
	struct stat st;
	int r;

	r = copy_tree(&request, &result);
	if (r == -ESTALE) /* the mark is of another source: from the beginning next time */
		(void)unlinkat(f->volume_fd, MARK, 0);
	if (r < 0)
		return fail_errno(f, result.path[0] ? result.path : "copy", r);
	if (fstat(f->source_fd, &st) < 0)
		return fail_errno(f, "source", -errno);
	r = copy_attributes(f->source_fd, f->volume_fd, &st);
	if (r < 0)
		return fail_errno(f, "/", r);
	if (unlinkat(f->volume_fd, MARK, 0) < 0 && errno != ENOENT)
		return fail_errno(f, MARK, -errno);
	r = compare_counts(f, &result);
	if (r < 0)
		return r;
	r = unmount_volume(f);
	if (r == 0)
		tell_end(f, result.n_bytes, result.n_names);
	return r;
}

static int fill_from_tree(struct filler *f, bool may_go_on)
{
	char done_to[MARK_MAX] = "";
	int r;

	f->source_fd = open(CCI_SOURCE_DIR, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (f->source_fd < 0)
		return fail(f, CCI_SOURCE_DIR, strerror(errno));
	f->begin = f->told = f->marked = clock_now();
	if (may_go_on && mount_begun(f, done_to, sizeof(done_to))) {
		tell("%s: begun by an earlier boot: goes on behind %s", f->node, done_to);
		r = 0;
	} else {
		done_to[0] = '\0';
		r = mount_new(f);
	}
	if (r == 0)
		r = copy_names(f, done_to);
	fd_close(&f->volume_fd);
	fd_close(&f->source_fd);
	(void)mount_hide(CCI_VOLUME_DIR); /* only after a failure is it still there */
	return r;
}

/* --- an image ------------------------------------------------------------------------------- */

static int write_block(int fd, const uint8_t *data, size_t len, off_t at)
{
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

/* Writes the image, block by block, zeros too: what was there before may be anything. */
static int copy_blocks(struct filler *f, int image, int volume, uint64_t size)
{
	CLEANUP(freep) uint8_t *room = malloc(BLOCK);
	int r = room ? 0 : -ENOMEM;

	for (uint64_t at = 0; at < size && r == 0;) {
		ssize_t n = fd_pread_all(image, room, BLOCK, (off_t)at);

		r = n < 0    ? (int)n
		    : n == 0 ? -EIO
		             : write_block(volume, room, (size_t)n, (off_t)at);
		at += n > 0 ? (uint64_t)n : 0;
		if (r == 0)
			tell_progress(f, clock_now(), at, 0);
	}
	if (r == 0 && fsync(volume) < 0)
		r = -errno;
	return r < 0 ? fail_errno(f, "cannot be written", r) : 0;
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
		r = mount_volume(f->node, type, false, CCI_VOLUME_DIR, said);
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

	if (mount_volume(f->node, type, true, CCI_VOLUME_DIR, why) < 0)
		return fail(f, "mount", why);
	if (umount2(CCI_VOLUME_DIR, 0) < 0)
		return fail(f, "unmount", strerror(errno));
	return 0;
}

static int fill_from_image(struct filler *f, const char *type)
{
	CLEANUP(fd_closep) int image = -1;
	CLEANUP(fd_closep) int volume = -1;
	uint64_t size, room;
	struct stat st;
	off_t end;
	int r;

	image = open(CCI_IMG_FILE, O_RDONLY | O_CLOEXEC);
	volume = open(f->node, O_WRONLY | O_EXCL | O_CLOEXEC);
	if (image < 0 || volume < 0 || fstat(image, &st) < 0)
		return fail(f, "open", strerror(errno));
	end = lseek(volume, 0, SEEK_END);
	size = (uint64_t)st.st_size;
	room = end > 0 ? (uint64_t)end : 0;
	if (size > room)
		return fail_errno(f, "image", -ENOSPC);
	f->begin = f->told = clock_now();
	r = copy_blocks(f, image, volume, size);
	if (r < 0)
		return r;
	fd_close(&volume);
	tell_end(f, size, 1);
	grow(f, type);
	return try_image(f, type);
}

/* --------------------------------------------------------------------------------------------- */

int volume_fill(const struct plan *plan, const char *node, char *error)
{
	struct filler f = { .node = node, .source = plan->source, .error = error };
	struct volume_source source;
	int r;

	f.source_fd = f.volume_fd = -1;
	r = volume_source_open(plan, &source, error);
	if (r == 0)
		r = source.is_image ? fill_from_image(&f, source.type) : fill_from_tree(&f, true);
	volume_source_close();
	return r;
}

/* NOLINTNEXTLINE(readability-non-const-parameter): fail() writes it */
int volume_copy(const char *from, const char *node, char *error)
{
	struct filler f = { .node = node, .source = from, .error = error };
	char why[MOUNT_ERROR_MAX];
	struct device device;
	int r;

	f.source_fd = f.volume_fd = -1;
	r = device_probe(from, &device);
	if (r != 0)
		return fail(&f, from, device_outcome_text(r));
	if (mount_volume(from, device.type, true, CCI_SOURCE_DIR, why) < 0)
		return fail(&f, from, why);
	r = fill_from_tree(&f, false);
	volume_source_close();
	return r;
}

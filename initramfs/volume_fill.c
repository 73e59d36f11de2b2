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
#include "initramfs/volume_filler.h"
#include "initramfs/volume_image.h"
#include "initramfs/volume_source.h"
#include "lib/base/text.h"
#include "lib/sys/clock.h"
#include "lib/sys/fd.h"
#include "lib/sys/file.h"

#define MARK       ".cci-part" /* in the volume's root, while it is filled */
#define MARK_MAX   8192
#define MARK_EVERY (15 * USEC_PER_SEC) /* it waits for the disk */
#define FSTAB_MAX  (1 << 20)

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

	filler_tell_progress(f, now, so_far->n_bytes, so_far->n_files);
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
		return filler_fail(f, "cannot run mkfs", strerror(-r));
	return r == 0 ? 0 : filler_fail(f, "mkfs", said[0] ? said : "failed");
}

static int open_volume(struct filler *f)
{
	f->volume_fd = open(CCI_VOLUME_DIR, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	return f->volume_fd < 0 ? filler_fail(f, "open", strerror(errno)) : 0;
}

/* Mounts what an earlier boot began, if it can be gone on with. Returns whether it can. */
static bool mount_begun(struct filler *f, char *done_to, size_t size)
{
	char why[MOUNT_ERROR_MAX];
	struct device device;

	if (device_probe(f->node, &device) != 0 ||
	    filler_mount(f->node, device.type, false, CCI_VOLUME_DIR, why) < 0)
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
	if (filler_mount(f->node, type, false, CCI_VOLUME_DIR, why) < 0)
		return filler_fail(f, "mount", why);
	return open_volume(f);
}

/* An error of the disk that no write met before is met here. */
static int unmount_volume(struct filler *f)
{
	int r = syncfs(f->volume_fd) < 0 ? -errno : 0;

	fd_close(&f->volume_fd);
	if (umount2(CCI_VOLUME_DIR, 0) < 0 && r == 0)
		r = -errno;
	return r < 0 ? filler_fail_errno(f, "cannot be written", r) : 0;
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
		return filler_fail_errno(f, "cannot be read again", r);
	if (fstatat(f->volume_fd, "lost+found", &st, AT_SYMLINK_NOFOLLOW) == 0 &&
	    fstatat(f->source_fd, "lost+found", &st, AT_SYMLINK_NOFOLLOW) < 0)
		there.n_names--;
	if (there.n_names == copied->n_names && there.n_name_bytes == copied->n_name_bytes)
		return 0;
	(void)snprintf(text, sizeof(text),
	               "%" PRIu64 " names with %" PRIu64 " bytes of %" PRIu64 " with %" PRIu64,
	               there.n_names, there.n_name_bytes, copied->n_names, copied->n_name_bytes);
	return filler_fail(f, "is not whole", text);
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
		return filler_fail_errno(f, result.path[0] ? result.path : "copy", r);
	if (fstat(f->source_fd, &st) < 0)
		return filler_fail_errno(f, "source", -errno);
	r = copy_attributes(f->source_fd, f->volume_fd, &st);
	if (r < 0)
		return filler_fail_errno(f, "/", r);
	if (unlinkat(f->volume_fd, MARK, 0) < 0 && errno != ENOENT)
		return filler_fail_errno(f, MARK, -errno);
	r = compare_counts(f, &result);
	if (r < 0)
		return r;
	r = unmount_volume(f);
	if (r == 0)
		filler_tell_end(f, result.n_bytes, result.n_names);
	return r;
}

static int fill_from_tree(struct filler *f, bool may_go_on)
{
	char done_to[MARK_MAX] = "";
	int r;

	f->source_fd = open(CCI_SOURCE_DIR, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (f->source_fd < 0)
		return filler_fail(f, CCI_SOURCE_DIR, strerror(errno));
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

/* --------------------------------------------------------------------------------------------- */

int volume_fill(const struct plan *plan, const char *node, char *error)
{
	struct filler f = { .node = node, .source = plan->source, .error = error };
	struct volume_source source;
	int r;

	f.source_fd = f.volume_fd = f.image.fd = -1;
	f.begin = f.told = clock_now();
	r = volume_source_open(plan, volume_image_follow, &f, &source, error);
	if (!source.is_image) /* what began as one, and is none */
		fd_close(&f.volume_fd);
	if (r == 0)
		r = source.is_image ? volume_image_fill(&f, source.type) : fill_from_tree(&f, true);
	fd_close(&f.volume_fd);
	fd_close(&f.image.fd);
	volume_source_close();
	return r;
}

/* NOLINTNEXTLINE(readability-non-const-parameter): filler_fail() writes it */
int volume_copy(const char *from, const char *node, char *error)
{
	struct filler f = { .node = node, .source = from, .error = error };
	char why[MOUNT_ERROR_MAX];
	struct device device;
	int r;

	f.source_fd = f.volume_fd = -1;
	r = device_probe(from, &device);
	if (r != 0)
		return filler_fail(&f, from, device_outcome_text(r));
	if (filler_mount(from, device.type, true, CCI_SOURCE_DIR, why) < 0)
		return filler_fail(&f, from, why);
	r = fill_from_tree(&f, false);
	volume_source_close();
	return r;
}

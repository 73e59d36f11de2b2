/* SPDX-License-Identifier: MulanPSL-2.0 */
#include "initramfs/volume_filler.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>

#include "initramfs/mount_tree.h"
#include "initramfs/notify.h"
#include "initramfs/tell.h"
#include "lib/base/macro.h"
#include "lib/sys/clock.h"
#include "lib/sys/file.h"

#define TELL_EVERY (2 * USEC_PER_SEC)
#define EXTEND_BY  (120 * USEC_PER_SEC) /* one file of a slow network must fit in */

int filler_fail(struct filler *f, const char *what, const char *why)
{
	(void)snprintf(f->error, VOLUME_ERROR_MAX, "%s: %s: %s", f->node, what, why);
	return -ECANCELED;
}

int filler_fail_errno(struct filler *f, const char *what, int error)
{
	return filler_fail(f, what,
	                   error == -ENOSPC ? "it is full: a larger os_lv_size= is needed"
	                                    : strerror(-error));
}

void filler_tell_progress(struct filler *f, usec_t now, uint64_t n_bytes, uint64_t n_files)
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

void filler_tell_end(const struct filler *f, uint64_t n_bytes, uint64_t n_names)
{
	double seconds = (double)MAX(usec_sub(clock_now(), f->begin), (usec_t)1) / USEC_PER_SEC;

	tell("%s: %" PRIu64 " names, %.1f MB in %.2f s, %.1f MB/s, all on the disk", f->node,
	     n_names, (double)n_bytes / 1e6, seconds, (double)n_bytes / 1e6 / seconds);
}

int filler_mount(const char *node, const char *type, bool read_only, const char *target, char *why)
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

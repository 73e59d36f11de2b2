/* SPDX-License-Identifier: MulanPSL-2.0 */
/*
 * Archives that a kernel unpacks as initramfs: newc cpio in gzip, the same bytes for the same
 * members (no time, no owner, no inode of this machine).
 */
#pragma once

#include <sys/types.h>

#include "lib/base/buffer.h"

struct archive_member {
	const char *path;     /* relative, without `..`; a directory stands before its members */
	mode_t mode;          /* S_IFREG or S_IFDIR with permissions */
	struct slice content; /* of a file */
};

/*
 * Appends the archive of these members, owned by root, to out.
 * Returns 0 or -ENOMEM (which is also what an out->max reached gives), -EIO when libarchive
 * refuses.
 */
int archive_build_cgz(const struct archive_member *members, size_t n_members, struct buffer *out);

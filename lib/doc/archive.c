/* SPDX-License-Identifier: MulanPSL-2.0 */
/*
 * libarchive writing into a buffer.
 */
#include "lib/doc/archive.h"

#include <archive.h>
#include <archive_entry.h>
#include <errno.h>
#include <sys/stat.h>

#include "lib/base/macro.h"

static inline void writer_freep(struct archive **a)
{
	(void)archive_write_free(*a);
}

static inline void entry_freep(struct archive_entry **entry)
{
	archive_entry_free(*entry);
}

static la_ssize_t append_output(struct archive *a, void *userdata, const void *data, size_t len)
{
	struct buffer *out = userdata;

	buffer_append(out, data, len);
	if (out->failed) {
		archive_set_error(a, ENOMEM, "no room");
		return -1;
	}
	return (la_ssize_t)len;
}

static int prepare(struct archive *a, struct buffer *out)
{
	if (archive_write_set_format_cpio_newc(a) != ARCHIVE_OK ||
	    archive_write_add_filter_gzip(a) != ARCHIVE_OK ||
	    archive_write_set_options(a, "gzip:!timestamp,gzip:compression-level=6") !=
	            ARCHIVE_OK ||
	    archive_write_set_bytes_per_block(a, 512) != ARCHIVE_OK ||
	    archive_write_set_bytes_in_last_block(a, 1) != ARCHIVE_OK ||
	    archive_write_open(a, out, NULL, append_output, NULL) != ARCHIVE_OK)
		return -EIO;
	return 0;
}

static int write_member(struct archive *a, const struct archive_member *member, int64_t inode)
{
	CLEANUP(entry_freep) struct archive_entry *entry = archive_entry_new();
	size_t len = S_ISDIR(member->mode) ? 0 : member->content.len;

	if (!entry)
		return -ENOMEM;
	archive_entry_set_pathname(entry, member->path);
	archive_entry_set_mode(entry, member->mode);
	archive_entry_set_size(entry, (la_int64_t)len);
	archive_entry_set_ino64(entry, inode);
	archive_entry_set_nlink(entry, S_ISDIR(member->mode) ? 2 : 1);
	archive_entry_set_mtime(entry, 0, 0);
	archive_entry_set_uid(entry, 0);
	archive_entry_set_gid(entry, 0);
	if (archive_write_header(a, entry) != ARCHIVE_OK)
		return -EIO;
	if (len > 0 && archive_write_data(a, member->content.data, len) != (la_ssize_t)len)
		return -EIO;
	return 0;
}

int archive_build_cgz(const struct archive_member *members, size_t n_members, struct buffer *out)
{
	CLEANUP(writer_freep) struct archive *a = archive_write_new();
	int r = 0;

	if (!a)
		return -ENOMEM;
	r = prepare(a, out);
	for (size_t i = 0; i < n_members && r == 0; i++)
		r = write_member(a, &members[i], (int64_t)i + 1);
	if (r == 0 && archive_write_close(a) != ARCHIVE_OK)
		r = -EIO;
	return out->failed ? -ENOMEM : r;
}

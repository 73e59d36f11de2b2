/* SPDX-License-Identifier: MulanPSL-2.0 */
/*
 * Directories that a power cut leaves where they are. fsync of a directory keeps the names in it,
 * not its own name in its parent (fsync(2)): a result whose new directory is lost is lost with it.
 */
#pragma once

/*
 * The names in the directory are on the disk, and so is the path to it, up to the root of its file
 * system or the first parent that we may not open (and so have not made). Returns 0 or -errno.
 * Cost: one fsync for a directory that was seen before, else one more for each such parent; the
 * last few dozen are remembered by inode and time of birth, and never where a file system does not
 * tell the latter.
 */
int dir_sync(int dir_fd);

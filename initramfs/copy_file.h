/* SPDX-License-Identifier: MulanPSL-2.0 */
/*
 * One file, link or node, with all that is known of it.
 */
#pragma once

#include <sys/stat.h>

/*
 * Copies from/name, which is no directory, to to/name, which must not exist; holes stay holes.
 * Returns 0 or -errno.
 */
int copy_file(int from, int to, const char *name, const struct stat *st);

/*
 * Gives the file or directory `to` the owner, mode, extended attributes and times that `from` has.
 * A file system without extended attributes gets none. Returns 0 or -errno.
 */
int copy_attributes(int from, int to, const struct stat *st);

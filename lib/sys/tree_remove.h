/* SPDX-License-Identifier: MulanPSL-2.0 */
/*
 * Directory trees removed in pieces, by a process that has other things to do meanwhile.
 */
#pragma once

#include <stdint.h>

/* No deeper than this: a level holds a descriptor. */
#define TREE_DEPTH_MAX 300

/* Bytes a large file loses in one piece: a file system frees them before it answers. */
#define TREE_PIECE_BYTES (INT64_C(1) << 30)

enum { TREE_MORE = 1 };

/*
 * Removes at most max entries of the tree dir_fd/name, a file or a directory; links are removed and
 * not followed. The last piece makes the removal durable in dir_fd. One that is not there is gone.
 * Returns 0 when all is gone, TREE_MORE, or -errno (-ELOOP: too deep).
 */
int tree_remove_piece(int dir_fd, const char *name, unsigned max);

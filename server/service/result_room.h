/* SPDX-License-Identifier: MulanPSL-2.0 */
/*
 * Whether the file system of results has room for more: asked before a job is offered and before an
 * upload is taken, so that a disk fills up by nobody's result.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

/* Bytes that are free to us, and all, of the file system that a directory is on. 0 or -errno. */
int result_room_measure(int dir_fd, uint64_t *ret_free, uint64_t *ret_all);

/* Bytes that are free to us, of so many; percent: how much must stay free. 16 MiB always must. */
bool result_room_is_short(uint64_t free_bytes, uint64_t all_bytes, unsigned percent);

/* The same of the file system that a directory is on. Returns 0, -ENOSPC, or -errno. */
int result_room_check(int dir_fd, unsigned percent);

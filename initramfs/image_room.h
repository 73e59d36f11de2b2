/* SPDX-License-Identifier: MulanPSL-2.0 */
/*
 * Room in memory for an image that is fetched: a tmpfs of its own, since /run holds a fifth of the
 * memory, and no larger than the image, so that one too large fails with a word about memory.
 */
#pragma once

#include <stdint.h>

/*
 * Mounts it for `size` bytes (0: unknown, three quarters of the memory then) unless it is there,
 * and makes /run/cci/img/root.img anew. Returns an fd to write to, at its start, or -ECANCELED when
 * the failure has been told.
 */
int image_room_open(uint64_t size);

/* SPDX-License-Identifier: MulanPSL-2.0 */
/*
 * Unpredictable bytes of the kernel: tokens, hash seeds, names of temporary files.
 */
#pragma once

#include <stddef.h>

/* Fills to[len]. Returns 0 or -errno; waits until the kernel's pool is ready (early boot). */
int random_bytes(void *to, size_t len);

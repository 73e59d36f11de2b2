/* SPDX-License-Identifier: MulanPSL-2.0 */
/*
 * What tells this machine from others, as the kernel shows it in /sys.
 */
#pragma once

#include "lib/base/buffer.h"

#define HARDWARE_MAC_SIZE 32 /* "aa:bb:cc:dd:ee:ff", and longer ones of other links */

/*
 * Copies the address of the first network interface that is up, else of the first one. Returns 0,
 * or -ENODEV when there is none.
 */
int hardware_find_mac(char to[HARDWARE_MAC_SIZE]);

/* Reads the board's UUID, else that address, into an empty buffer. Returns 0 or -ENODEV. */
int hardware_read_identity(struct buffer *ret);

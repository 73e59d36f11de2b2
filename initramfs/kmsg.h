/* SPDX-License-Identifier: MulanPSL-2.0 */
/*
 * The kernel's log (/dev/kmsg, Documentation/ABI/testing/dev-kmsg), where the generator, PID 1 and
 * every driver of an early boot have written.
 */
#pragma once

#include <stddef.h>

#include "lib/base/buffer.h"

/*
 * Appends the last lines, oldest first, each as "[SECONDS.MICROS] text", at most `max` bytes of
 * them. Returns 0 or -errno.
 */
int kmsg_tail(struct buffer *out, size_t max);

/*
 * Copies the newest line that begins with `prefix` and is at most a second old to text[size]; ""
 * when there is none: overlayfs says only there what it did not like.
 */
void kmsg_find(const char *prefix, char *text, size_t size);

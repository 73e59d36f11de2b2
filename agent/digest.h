/* SPDX-License-Identifier: MulanPSL-2.0 */
/*
 * SHA-256 of a file, a part at a time, so that a large one does not hold up the loop.
 */
#pragma once

#include <stdint.h>

struct digest;

/* Begins. Returns NULL when memory is short. */
struct digest *digest_new(void);
void digest_free(struct digest *digest);

/*
 * Takes at most max bytes of fd, from where the last call ended up to `end`.
 * Returns 1 while there is more, 0 at the end (or where the file ends before it), or -errno.
 */
int digest_advance(struct digest *digest, int fd, uint64_t end, uint64_t max);

/* How many bytes went in. */
uint64_t digest_size(const struct digest *digest);

/* Writes 64 hexadecimal digits and a NUL. Nothing may be added after it. */
void digest_finish(struct digest *digest, char to[65]);

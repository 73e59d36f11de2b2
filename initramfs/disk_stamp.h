/* SPDX-License-Identifier: MulanPSL-2.0 */
/*
 * A block that we keep near the end of each disk of ours, behind what lvm may use: which disk we
 * had begun to take, and which cci.wipe= has been used up on it. It outlives a new partition table
 * or file system. Pure.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "lib/base/bytes.h"

#define DISK_STAMP_SIZE       4096
#define DISK_STAMP_TOKENS_MAX 16
#define DISK_STAMP_TOKEN_MAX  112

/* How much of the end is not lvm's, where the two copies stand in it, and the least that a disk
 * has.
 */
#define DISK_STAMP_ROOM  ((uint64_t)8 << 20)
#define DISK_STAMP_AT    ((uint64_t)4 << 20) /* bytes before the end, rounded down to a MiB */
#define DISK_STAMP_AT_2  ((uint64_t)6 << 20)
#define DISK_STAMP_LEAST ((uint64_t)128 << 20)

struct disk_stamp {
	bool is_there;
	bool is_taking; /* begun: until the disk is in the group, what is on it is ours to clear */
	unsigned n_tokens;
	char tokens[DISK_STAMP_TOKENS_MAX][DISK_STAMP_TOKEN_MAX];
};

enum { DISK_STAMP_NONE = 1 };

/* Writes the block. Tokens are printable and shorter than DISK_STAMP_TOKEN_MAX. */
void disk_stamp_build(const struct disk_stamp *stamp, uint8_t block[DISK_STAMP_SIZE]);

/* Reads it back. Returns 0, or DISK_STAMP_NONE when this is no stamp, or not a whole one. */
int disk_stamp_parse(const uint8_t block[DISK_STAMP_SIZE], struct disk_stamp *ret);

/* Whether the token has been used on this disk. */
bool disk_stamp_has(const struct disk_stamp *stamp, const char *token);

/* Where copy 0 or 1 stands on a disk of that size. */
uint64_t disk_stamp_offset(uint64_t size, unsigned copy);

/* SPDX-License-Identifier: MulanPSL-2.0 */
/*
 * Lines of text, then `sum=` over all of them; zeros up to the end of the block.
 */
#include "initramfs/disk_stamp.h"

#include <inttypes.h>

#include "lib/base/hash.h"
#include "lib/base/macro.h"
#include "lib/base/text.h"

#define HEAD "cci disk stamp 1\n"

/* Against blocks torn or worn, not against anybody. */
static const uint64_t seed[2] = { 0x63636920, 0x6469736b };

void disk_stamp_build(const struct disk_stamp *stamp, uint8_t block[DISK_STAMP_SIZE])
{
	struct bytes out = { .data = block, .cap = DISK_STAMP_SIZE };

	memset(block, 0, DISK_STAMP_SIZE);
	bytes_append_text(&out, HEAD);
	bytes_printf(&out, "state=%s\n", stamp->is_taking ? "taking" : "taken");
	for (unsigned i = 0; i < stamp->n_tokens; i++)
		bytes_printf(&out, "wiped=%s\n", stamp->tokens[i]);
	bytes_printf(&out, "sum=%016" PRIx64 "\n", hash_siphash(seed, bytes_slice(&out)));
	assert(!out.overflow);
}

static int read_line(struct slice line, struct disk_stamp *stamp)
{
	struct slice key = slice_cut(&line, '=');

	if (text_equal(key, "state")) {
		stamp->is_taking = text_equal(line, "taking");
		return stamp->is_taking || text_equal(line, "taken") ? 0 : DISK_STAMP_NONE;
	}
	if (!text_equal(key, "wiped"))
		return 0; /* of a later version */
	if (stamp->n_tokens == DISK_STAMP_TOKENS_MAX)
		return DISK_STAMP_NONE;
	return text_copy(stamp->tokens[stamp->n_tokens++], DISK_STAMP_TOKEN_MAX, line) == 0
	               ? 0
	               : DISK_STAMP_NONE;
}

int disk_stamp_parse(const uint8_t block[DISK_STAMP_SIZE], struct disk_stamp *ret)
{
	struct disk_stamp stamp = { .is_there = true };
	struct slice text = slice_make(block, DISK_STAMP_SIZE), rest;
	uint64_t sum;

	text.len = slice_find(text, '\0', 0);
	if (!slice_has_prefix(text, SLICE_LITERAL(HEAD)))
		return DISK_STAMP_NONE;
	rest = slice_sub(text, sizeof(HEAD) - 1, text.len);
	while (rest.len > 0) {
		size_t at = text.len - rest.len;
		struct slice line = slice_cut(&rest, '\n');

		if (slice_has_prefix(line, SLICE_LITERAL("sum="))) {
			if (rest.len > 0 ||
			    text_parse_hex(slice_sub(line, 4, line.len), UINT64_MAX, &sum) != 0 ||
			    sum != hash_siphash(seed, slice_sub(text, 0, at)))
				return DISK_STAMP_NONE;
			*ret = stamp;
			return 0;
		}
		if (read_line(line, &stamp) != 0)
			return DISK_STAMP_NONE;
	}
	return DISK_STAMP_NONE;
}

bool disk_stamp_has(const struct disk_stamp *stamp, const char *token)
{
	for (unsigned i = 0; i < stamp->n_tokens; i++)
		if (strcmp(stamp->tokens[i], token) == 0)
			return true;
	return false;
}

uint64_t disk_stamp_offset(uint64_t size, unsigned copy)
{
	uint64_t end = size & ~(((uint64_t)1 << 20) - 1);

	return end - (copy == 0 ? DISK_STAMP_AT : DISK_STAMP_AT_2);
}

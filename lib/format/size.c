/* SPDX-License-Identifier: MulanPSL-2.0 */
#include "lib/format/size.h"

#include <inttypes.h>
#include <stdio.h>

#include "lib/base/macro.h"
#include "lib/base/text.h"

struct unit {
	const char *name;
	uint64_t factor;
};

static const struct unit byte_units[] = {
	{ "T", UINT64_C(1) << 40 },
	{ "G", UINT64_C(1) << 30 },
	{ "M", UINT64_C(1) << 20 },
	{ "K", UINT64_C(1) << 10 },
	{ "", 1 },
};

/* Cuts the leading digits off *text. */
static struct slice take_digits(struct slice *text)
{
	size_t n = 0;

	while (n < text->len && char_is_digit((char)text->data[n]))
		n++;
	return slice_take(text, n);
}

static int scale(struct slice digits, uint64_t factor, uint64_t *ret)
{
	uint64_t n;

	if (text_parse_u64(digits, UINT64_MAX, &n) != 0 || __builtin_mul_overflow(n, factor, &n))
		return SIZE_BAD;
	*ret = n;
	return 0;
}

int size_parse(struct slice text, uint64_t *ret_bytes)
{
	struct slice digits = take_digits(&text);

	if (slice_has_suffix(text, SLICE_LITERAL("iB")) && text.len == 3)
		text.len = 1;
	else if (slice_has_suffix(text, SLICE_LITERAL("B")))
		text.len--;
	for (size_t i = 0; i < ARRAY_SIZE(byte_units); i++)
		if (slice_equal_nocase(text, slice_from_text(byte_units[i].name)))
			return scale(digits, byte_units[i].factor, ret_bytes);
	return SIZE_BAD;
}

const char *size_format(uint64_t bytes, char to[SIZE_TEXT_MAX])
{
	const struct unit *unit = byte_units;

	/* the last unit divides everything */
	while (unit->factor > 1 && (bytes == 0 || bytes % unit->factor != 0))
		unit++;
	(void)snprintf(to, SIZE_TEXT_MAX, "%" PRIu64 "%s", bytes / unit->factor, unit->name);
	return to;
}

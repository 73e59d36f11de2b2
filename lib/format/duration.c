/* SPDX-License-Identifier: MulanPSL-2.0 */
/*
 * A number and a unit.
 */
#include "lib/format/duration.h"

#include <inttypes.h>
#include <stdio.h>

#include "lib/base/macro.h"
#include "lib/base/text.h"

static const struct {
	const char *name;
	usec_t usec;
	bool is_written; /* by duration_format */
} units[] = {
	{ "h", 60 * USEC_PER_MINUTE, true },
	{ "m", USEC_PER_MINUTE, true },
	{ "s", USEC_PER_SEC, true },
	{ "ms", USEC_PER_MSEC, true },
	{ "us", 1, true },
	{ "d", 24 * 60 * USEC_PER_MINUTE, false },
	{ "w", 7 * 24 * 60 * USEC_PER_MINUTE, false },
	{ "", USEC_PER_SEC, false },
};

int duration_parse(struct slice text, usec_t *ret)
{
	size_t n_digits = 0;
	uint64_t number;
	int r;

	while (n_digits < text.len && char_is_digit((char)text.data[n_digits]))
		n_digits++;
	r = text_parse_u64(slice_take(&text, n_digits), UINT64_MAX, &number);
	if (r != 0)
		return DURATION_BAD;
	for (size_t i = 0; i < ARRAY_SIZE(units); i++) {
		usec_t duration;

		if (!text_equal(text, units[i].name))
			continue;
		if (__builtin_mul_overflow(number, units[i].usec, &duration) ||
		    duration == USEC_INFINITY)
			return DURATION_BAD;
		*ret = duration;
		return 0;
	}
	return DURATION_BAD;
}

const char *duration_format(usec_t duration, char to[DURATION_TEXT_MAX])
{
	if (duration == USEC_INFINITY) {
		(void)snprintf(to, DURATION_TEXT_MAX, "infinity");
		return to;
	}
	if (duration == 0) {
		(void)snprintf(to, DURATION_TEXT_MAX, "0s");
		return to;
	}
	for (size_t i = 0; i < ARRAY_SIZE(units); i++) {
		if (!units[i].is_written || duration % units[i].usec != 0)
			continue;
		(void)snprintf(to, DURATION_TEXT_MAX, "%" PRIu64 "%s", duration / units[i].usec,
		               units[i].name);
		break; /* the unit us divides everything */
	}
	return to;
}

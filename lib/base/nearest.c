/* SPDX-License-Identifier: MulanPSL-2.0 */
/*
 * Edit distance with swaps of neighbours (optimal string alignment).
 */
#include "lib/base/nearest.h"

#include "lib/base/macro.h"
#include "lib/base/text.h"

#define WORD_MAX 32 /* our keys and verbs are half as long */

static bool same_letter(uint8_t a, uint8_t b)
{
	return char_lower((char)a) == char_lower((char)b);
}

/* Number of edits between two words of at most WORD_MAX bytes. Three rows of the classic table are
 * enough: a swap looks two rows back. */
static unsigned distance(struct slice a, struct slice b)
{
	unsigned rows[3][WORD_MAX + 1];

	for (size_t j = 0; j <= b.len; j++)
		rows[0][j] = (unsigned)j;
	for (size_t i = 1; i <= a.len; i++) {
		const unsigned *above = rows[(i - 1) % 3], *two_above = rows[(i + 1) % 3];
		unsigned *row = rows[i % 3];

		row[0] = (unsigned)i;
		for (size_t j = 1; j <= b.len; j++) {
			bool same = same_letter(a.data[i - 1], b.data[j - 1]);
			unsigned best = above[j - 1] + (same ? 0 : 1);

			best = MIN(best, above[j] + 1);
			best = MIN(best, row[j - 1] + 1);
			if (i > 1 && j > 1 && same_letter(a.data[i - 1], b.data[j - 2]) &&
			    same_letter(a.data[i - 2], b.data[j - 1]))
				best = MIN(best, two_above[j - 2] + 1);
			row[j] = best;
		}
	}
	return rows[a.len % 3][b.len];
}

const char *nearest_name(const char *const names[], size_t n_names, struct slice word)
{
	const char *nearest = NULL;
	unsigned best = 0;

	if (word.len > WORD_MAX)
		return NULL;
	for (size_t i = 0; i < n_names; i++) {
		struct slice name = slice_from_text(names[i]);
		unsigned d;

		if (!names[i] || name.len > WORD_MAX)
			continue;
		d = distance(word, name);
		if (d * 3 > MAX(name.len, (size_t)3))
			continue;
		if (!nearest || d < best) {
			nearest = names[i];
			best = d;
		}
	}
	return nearest;
}

/* SPDX-License-Identifier: MulanPSL-2.0 */
#include "server/core/share.h"

uint64_t share_fade(uint64_t used, usec_t elapsed)
{
	uint64_t halvings = elapsed / SHARE_HALF_LIFE;
	uint64_t rest_sec = elapsed % SHARE_HALF_LIFE / USEC_PER_SEC;
	uint64_t half_life_sec = SHARE_HALF_LIFE / USEC_PER_SEC;
	uint64_t half;

	if (halvings >= 63)
		return 0;
	used >>= halvings;
	half = used / 2;
	/* half * rest / half_life without an overflow */
	return used -
	       (half / half_life_sec * rest_sec + half % half_life_sec * rest_sec / half_life_sec);
}

/* SPDX-License-Identifier: MulanPSL-2.0 */
/*
 * Any ICMPv6 message as a router solicitation. The first two bytes are the hop limit and whether
 * the source is `::`.
 */
#include <assert.h>
#include <stdint.h>

#include "server/proto/router_advert.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct router_solicit solicit;
	int r;

	if (size < 2)
		return 0;
	r = router_solicit_parse(slice_make(data + 2, size - 2), data[0], data[1] & 1, &solicit);
	assert(r >= 0 && r < _ROUTER_SOLICIT_OUTCOME_MAX);
	return 0;
}

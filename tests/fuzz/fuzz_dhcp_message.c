/* SPDX-License-Identifier: MulanPSL-2.0 */
/*
 * Any packet: parsed, walked, and built again to the same bytes.
 */
#include <assert.h>
#include <stdint.h>

#include "server/proto/dhcp_message.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static uint8_t again[1 << 16], scratch[256];
	struct bytes out = BYTES_ON(again);
	struct dhcp_option_iter iter;
	struct dhcp_message m;
	struct slice value;
	size_t total = 0;
	uint8_t code;

	if (size > sizeof(again) || dhcp_message_parse(slice_make(data, size), &m) != 0)
		return 0;
	dhcp_option_iter_init(&iter, &m);
	while (dhcp_option_next(&iter, &code, &value)) {
		struct bytes joined = BYTES_ON(scratch);
		struct slice whole;

		total += value.len + 2;
		assert(dhcp_message_option(&m, code, &joined, &whole) != DHCP_OPTION_ABSENT);
		while (dhcp_encapsulated_next(&value, &code, &whole))
			;
	}
	assert(total <= size);
	dhcp_message_build(&m, &out);
	bytes_append_slice(&out, m.options);
	assert(slice_equal(bytes_slice(&out), slice_make(data, size)));
	return 0;
}

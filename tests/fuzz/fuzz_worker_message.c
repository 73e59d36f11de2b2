/* SPDX-License-Identifier: MulanPSL-2.0 */
/* A packet that is understood is written again byte for byte. */
#include <assert.h>
#include <stddef.h>
#include <stdint.h>

#include "server/core/worker_message.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static uint8_t again[WORKER_MESSAGE_MAX];
	struct slice packet = slice_make(data, size);
	struct bytes out = BYTES_ON(again);
	struct worker_message message;

	if (size > WORKER_MESSAGE_MAX || worker_message_parse(packet, &message) != 0)
		return 0;
	worker_message_build(&message, &out);
	assert(slice_equal(bytes_slice(&out), packet));
	return 0;
}

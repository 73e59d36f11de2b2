/* SPDX-License-Identifier: MulanPSL-2.0 */
/*
 * Server-sent events: the first byte says where to cut the stream; what comes out must not depend
 * on it.
 */
#include <stdint.h>
#include <stdlib.h>

#include "cli/sse.h"
#include "lib/base/macro.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Number of events, and a sum over their bytes; how the stream ended in *ret_outcome. */
static uint64_t play(struct slice stream, size_t step, int *ret_outcome)
{
	uint64_t sum = 0;
	struct sse_event event;
	struct sse sse;
	int q = 0;

	sse_init(&sse);
	while (stream.len > 0 && q == 0) {
		struct slice part = slice_take(&stream, MIN(step, stream.len));

		while ((q = sse_next(&sse, &part, &event)) == SSE_EVENT) {
			sum = sum * 31 + event.data.len + event.id[0] + event.event[0];
			for (size_t i = 0; i < event.data.len; i++)
				sum = sum * 31 + event.data.data[i];
		}
	}
	sse_deinit(&sse);
	*ret_outcome = q;
	return sum;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct slice stream = slice_make(data, size);
	int whole, cut;
	uint64_t sum;
	size_t step;

	if (size == 0)
		return 0;
	step = (size_t)slice_take(&stream, 1).data[0] + 1;
	sum = play(stream, SIZE_MAX, &whole);
	if (sum != play(stream, step, &cut) || whole != cut)
		abort();
	return 0;
}

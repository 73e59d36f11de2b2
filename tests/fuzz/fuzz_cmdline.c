/* SPDX-License-Identifier: MulanPSL-2.0 */
/*
 * Any line: what we compose from what we read must read the same again.
 */
#include <assert.h>
#include <stdlib.h>

#include "lib/format/boot_params.h"
#include "lib/format/cmdline.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct slice rest = slice_make(data, size);
	struct boot_params params, again;
	struct boot_params_error error;
	struct cmdline_word word;
	static uint8_t room[1 << 17], room_again[1 << 17];
	struct bytes out = BYTES_ON(room), out_again = BYTES_ON(room_again);

	while (cmdline_next(&rest, &word))
		;
	if (boot_params_from_cmdline(slice_make(data, size), &params, &error) != 0)
		return 0;
	if (boot_params_compose(&params, &out) != 0 || out.overflow)
		return 0;
	if (boot_params_from_cmdline(bytes_slice(&out), &again, &error) != 0)
		abort();
	if (boot_params_compose(&again, &out_again) != 0 || out_again.overflow)
		abort();
	if (!slice_equal(bytes_slice(&out), bytes_slice(&out_again)))
		abort();
	return 0;
}

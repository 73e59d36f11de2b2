/* SPDX-License-Identifier: MulanPSL-2.0 */
/*
 * Any ccid.yaml: what is accepted prints as a file that means the same.
 */
#include <stdlib.h>
#include <string.h>

#include "server/config.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct config config, again;
	struct config_error error;
	struct buffer out = BUFFER_NULL;

	memset(&config, 0, sizeof(config));
	memset(&again, 0, sizeof(again));
	if (config_parse("f", slice_make(data, size), &config, &error) != 0)
		return 0;
	if (config_print(&config, &out) != 0)
		abort();
	if (config_parse("f", buffer_slice(&out), &again, &error) != 0)
		abort();
	if (memcmp(&config, &again, sizeof(config)) != 0)
		abort();
	buffer_deinit(&out);
	return 0;
}

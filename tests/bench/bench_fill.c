/* SPDX-License-Identifier: MulanPSL-2.0 */
/*
 * A volume filled by cci-init from the system on another one, from mkfs to unmount, as in a boot.
 * tools/bench fill runs it beside cp -a, in a mount namespace of their own.
 */
#include <stdio.h>

#include "initramfs/volume_fill.h"

int main(int argc, char *argv[])
{
	char error[VOLUME_ERROR_MAX] = "";

	if (argc != 3) {
		(void)fprintf(stderr, "usage: bench_fill FROM NODE\n");
		return 2;
	}
	if (volume_copy(argv[1], argv[2], error) < 0) {
		(void)fprintf(stderr, "bench_fill: %s\n", error);
		return 1;
	}
	return 0;
}

/* SPDX-License-Identifier: MulanPSL-2.0 */
/*
 * A volume is filled as `cci-init disk` fills it, by /run/cci/plan, but without lvm: NODE is any
 * block device. For test_fill.py.
 */
#include <fcntl.h>
#include <stdio.h>

#include "initramfs/paths.h"
#include "initramfs/plan_file.h"
#include "initramfs/volume_fill.h"
#include "lib/base/buffer.h"
#include "lib/sys/file.h"

int main(int argc, char *argv[])
{
	char error[VOLUME_ERROR_MAX] = "";
	struct buffer text = BUFFER_NULL;
	struct plan plan;
	unsigned line;
	int r;

	if (argc != 2) {
		(void)fprintf(stderr, "usage: fill_volume NODE\n");
		return 2;
	}
	r = file_read_all(AT_FDCWD, CCI_PLAN_FILE, PLAN_FILE_MAX, &text);
	if (r == 0 && plan_read(buffer_slice(&text), &plan, &line) != 0)
		r = -1;
	buffer_deinit(&text);
	if (r < 0) {
		(void)fprintf(stderr, "fill_volume: no plan\n");
		return 1;
	}
	if (volume_fill(&plan, argv[1], error) < 0) {
		(void)fprintf(stderr, "fill_volume: %s\n", error);
		return 1;
	}
	return 0;
}

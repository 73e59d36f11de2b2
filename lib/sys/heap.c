/* SPDX-License-Identifier: MulanPSL-2.0 */
#include "lib/sys/heap.h"

#include <malloc.h>

void heap_keep(void)
{
	/* each can only fail for a value out of range */
	(void)mallopt(M_TRIM_THRESHOLD, 16 << 20);
	(void)mallopt(M_TOP_PAD, 1 << 20);
	(void)mallopt(M_MMAP_THRESHOLD, 1 << 20);
}

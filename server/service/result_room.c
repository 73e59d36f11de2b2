/* SPDX-License-Identifier: MulanPSL-2.0 */
#include "server/service/result_room.h"

#include <errno.h>
#include <sys/statvfs.h>

#define ROOM_MIN ((uint64_t)16 << 20)

bool result_room_is_short(uint64_t free_bytes, uint64_t all_bytes, unsigned percent)
{
	/* what is divided first cannot overflow */
	return free_bytes < ROOM_MIN || free_bytes < all_bytes / 100 * percent;
}

int result_room_check(int dir_fd, unsigned percent)
{
	struct statvfs st;

	if (fstatvfs(dir_fd, &st) < 0)
		return -errno;
	return result_room_is_short((uint64_t)st.f_bavail * st.f_frsize,
	                            (uint64_t)st.f_blocks * st.f_frsize, percent)
	               ? -ENOSPC
	               : 0;
}

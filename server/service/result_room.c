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

int result_room_measure(int dir_fd, uint64_t *ret_free, uint64_t *ret_all)
{
	struct statvfs st;

	if (fstatvfs(dir_fd, &st) < 0)
		return -errno;
	*ret_free = (uint64_t)st.f_bavail * st.f_frsize;
	*ret_all = (uint64_t)st.f_blocks * st.f_frsize;
	return 0;
}

int result_room_check(int dir_fd, unsigned percent)
{
	uint64_t free_bytes = 0, all_bytes = 0;
	int r = result_room_measure(dir_fd, &free_bytes, &all_bytes);

	if (r < 0)
		return r;
	return result_room_is_short(free_bytes, all_bytes, percent) ? -ENOSPC : 0;
}

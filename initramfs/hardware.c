/* SPDX-License-Identifier: MulanPSL-2.0 */
#include "initramfs/hardware.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>

#include "lib/base/macro.h"
#include "lib/base/text.h"
#include "lib/sys/file.h"

#define UUID_FILE     "/sys/class/dmi/id/product_uuid"
#define UUID_SIZE     36
#define ATTRIBUTE_MAX 256 /* of a file in /sys */

static void close_directory(DIR **directory)
{
	if (*directory)
		(void)closedir(*directory);
}

int hardware_find_mac(char to[HARDWARE_MAC_SIZE])
{
	CLEANUP(close_directory) DIR *net = opendir("/sys/class/net");
	const struct dirent *entry;
	bool is_up = false;

	to[0] = '\0';
	while (net && !is_up && (entry = readdir(net))) {
		struct buffer text = BUFFER_NULL, state = BUFFER_NULL;
		char path[300];

		if (entry->d_name[0] == '.' || strcmp(entry->d_name, "lo") == 0)
			continue;
		(void)snprintf(path, sizeof(path), "%s/operstate", entry->d_name);
		if (file_read_all(dirfd(net), path, ATTRIBUTE_MAX, &state) == 0)
			is_up = text_equal(text_trim(buffer_slice(&state)), "up");
		(void)snprintf(path, sizeof(path), "%s/address", entry->d_name);
		if ((is_up || !to[0]) && file_read_all(dirfd(net), path, ATTRIBUTE_MAX, &text) == 0)
			(void)text_copy(to, HARDWARE_MAC_SIZE, text_trim(buffer_slice(&text)));
		buffer_deinit(&text);
		buffer_deinit(&state);
	}
	return to[0] ? 0 : -ENODEV;
}

int hardware_read_identity(struct buffer *ret)
{
	char mac[HARDWARE_MAC_SIZE];
	int r;

	if (file_read_all(AT_FDCWD, UUID_FILE, ATTRIBUTE_MAX, ret) == 0 && ret->len >= UUID_SIZE)
		return 0;
	buffer_deinit(ret);
	r = hardware_find_mac(mac);
	if (r < 0)
		return r;
	buffer_append_slice(ret, slice_from_text(mac));
	return buffer_error(ret) < 0 ? -ENODEV : 0;
}

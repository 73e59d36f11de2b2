/* SPDX-License-Identifier: MulanPSL-2.0 */
#include "agent/machine_end.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/reboot.h>
#include <unistd.h>

#include "agent/scope.h"
#include "lib/base/log.h"
#include "lib/base/macro.h"
#include "lib/sys/fd.h"

void machine_say(const char *root, const char *lines)
{
	CLEANUP(fd_closep) int fd = -1;
	char path[PATH_MAX];
	int n = snprintf(path, sizeof(path), "%s/dev/console", root);

	if (n < 0 || (size_t)n >= sizeof(path))
		return;
	/* a console that nobody drains must not hold us up */
	fd = open(path, O_WRONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
	if (fd >= 0)
		(void)!write(fd, lines, strlen(lines));
}

int machine_end_by_force(enum step_end end)
{
	sync();
	return reboot(end == STEP_END_POWEROFF ? RB_POWER_OFF : RB_AUTOBOOT) < 0 ? -errno : 0;
}

int machine_end(enum step_end end)
{
	const char *target = end == STEP_END_POWEROFF ? "poweroff.target" : "reboot.target";
	int r;

	sync();
	r = scope_start_unit(target);
	if (r == 0)
		return 0;
	log_warning("systemd does not start %s: %s", target, strerror(-r));
	return machine_end_by_force(end);
}

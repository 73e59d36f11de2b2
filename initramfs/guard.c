/* SPDX-License-Identifier: MulanPSL-2.0 */
#include "initramfs/guard.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/reboot.h>
#include <unistd.h>

#include "initramfs/paths.h"
#include "initramfs/plan.h"
#include "initramfs/tell.h"
#include "lib/sys/file.h"

#define LINE_MAX_BYTES  (64 << 10)
#define SECONDS_TO_READ 5 /* what the console says */

/* Says how it ends, and ends it. Does not return where it may do that. */
static int end_boot(const struct plan *plan)
{
	bool is_poweroff = plan->onfail == BOOT_ONFAIL_POWEROFF;

	(void)tell_failure(
		CAUSE_PLAN,
		"cci-generator has left no plan for this boot (is there no room in /run?); "
		"%s in %d s%s%s",
		is_poweroff ? "poweroff" : "reboot", SECONDS_TO_READ,
		plan->refused[0] ? "; the line is wrong besides: " : "", plan->refused);
	(void)sleep(SECONDS_TO_READ);
	sync();
	if (reboot(is_poweroff ? RB_POWER_OFF : RB_AUTOBOOT) < 0)
		tell("cannot end this boot: %s", strerror(errno));
	return 1;
}

int guard_main(int argc, char *argv[])
{
	static const struct plan_facts facts = { .https = true };
	struct buffer line = BUFFER_NULL;
	struct plan plan;
	int r;

	tell_begin("guard", false);
	/* never on a machine that only has the program: this is for an initramfs */
	if (access(CCI_INITRD_RELEASE, F_OK) < 0 || access(CCI_PLAN_FILE, F_OK) == 0)
		return 0;
	r = file_read_all(AT_FDCWD, "/proc/cmdline", LINE_MAX_BYTES, &line);
	if (r < 0) {
		tell("cannot read /proc/cmdline: %s", strerror(-r));
		return 1;
	}
	r = plan_from_cmdline(buffer_slice(&line), &facts, &plan);
	buffer_deinit(&line);
	return r == PLAN_NOT_OURS ? 0 : end_boot(&plan);
}

/* SPDX-License-Identifier: MulanPSL-2.0 */
#include "initramfs/watchdog.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "initramfs/module.h"
#include "initramfs/new_root.h"
#include "initramfs/paths.h"
#include "initramfs/tell.h"
#include "lib/base/macro.h"
#include "lib/sys/fd.h"
#include "lib/sys/file.h"

#define WATCHDOG_NODE "/dev/watchdog0"

static const char text[] =
	"# Left by the initramfs of cci: the root is on a file server. When that has gone PID 1 may wait\n"
	"# for it for ever; then the machine starts anew. A file of a later name overrides this one.\n"
	"[Manager]\n"
	"RuntimeWatchdogSec=10min\n"
	"RebootWatchdogSec=2min\n";

void watchdog_leave(void)
{
	CLEANUP(fd_closep) int directory = -1;
	int r = file_make_path(CCI_MANAGER_DIR, 0755);

	if (r == 0) {
		directory = open(CCI_MANAGER_DIR, O_PATH | O_DIRECTORY | O_CLOEXEC);
		r = directory < 0 ? -errno
		                  : new_root_write(directory, ".", "50-cci.conf",
		                                   slice_from_text(text), 0644);
	}
	if (r < 0)
		tell("cannot write %s: %s", CCI_MANAGER_DIR, strerror(-r));
	if (access(WATCHDOG_NODE, F_OK) < 0 && module_load("softdog") < 0)
		tell_debug("no watchdog here: a server that goes away keeps this machine");
}

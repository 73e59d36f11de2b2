/* SPDX-License-Identifier: MulanPSL-2.0 */
#include "initramfs/module.h"

#include <errno.h>
#include <spawn.h>
#include <sys/wait.h>

int module_load(const char *name)
{
	char program[] = "/sbin/modprobe", quiet[] = "-q";
	char *argv[] = { program, quiet, (char *)name, NULL }, *envp[] = { NULL };
	int status, r;
	pid_t pid;

	r = posix_spawn(&pid, program, NULL, NULL, argv, envp);
	if (r != 0)
		return -r;
	while (waitpid(pid, &status, 0) < 0)
		if (errno != EINTR)
			return -errno;
	return WIFEXITED(status) && WEXITSTATUS(status) == 0 ? 0 : -ENODEV;
}

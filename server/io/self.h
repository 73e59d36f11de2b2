/* SPDX-License-Identifier: MulanPSL-2.0 */
/*
 * This program once more, as a process that serves main.
 */
#pragma once

#include <sys/types.h>

/* The socketpair to main in such a process; nothing else is inherited. */
#define SELF_FD 3

/*
 * Executes this program with one option and `fd` as its SELF_FD, no signal blocked or ignored.
 * Returns 0 with *ret_pid, or -errno.
 */
int self_spawn(const char *option, int fd, pid_t *ret_pid);

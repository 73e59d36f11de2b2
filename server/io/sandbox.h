/* SPDX-License-Identifier: MulanPSL-2.0 */
/*
 * What a process of ccid gives up once its sockets are bound: every capability (the uid stays;
 * main keeps CAP_NET_BIND_SERVICE and CAP_NET_RAW, without which an interface that comes back could
 * not be served again), and every system call that it never makes. A parser that a stranger's
 * packet has led astray then finds little to do. What is refused answers EPERM and shows in the
 * kernel's audit log.
 */
#pragma once

enum sandbox_role {
	SANDBOX_MAIN,   /* may still start workers and open sockets; what it starts inherits this */
	SANDBOX_POWER,  /* no capability, but every system call: runs programs of other people */
	SANDBOX_WORKER, /* accepts, reads, writes: no new socket, no program, no process */
};

enum {
	SANDBOX_UNFILTERED =
		1, /* the capabilities are gone, but the kernel takes no filter of calls */
};

/*
 * Gives them up, for good and for all children. Call it when nothing privileged is left to do.
 * Returns 0; SANDBOX_UNFILTERED, which is worth a warning; or -errno.
 */
int sandbox_enter(enum sandbox_role role);

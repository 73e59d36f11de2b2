/* SPDX-License-Identifier: MulanPSL-2.0 */
/*
 * The whole life of the process that runs power commands: what `ccid --power` runs. Main is not let
 * do it: its filter of system calls would be that of every program it starts.
 */
#pragma once

#include <stdint.h>

#include "server/service/power_service.h"

/* Commands that run at once; main asks for no more, nor for two of one host. */
#define POWER_HELPER_MAX 8

/* What goes over the socketpair (SOCK_SEQPACKET): both ends are the same program. */
struct power_reply {
	char host[HOST_NAME_MAX_LEN];
	char error[POWER_ERROR_MAX]; /* empty: it exited 0 */
};

/*
 * Drops every capability, and runs struct power_order one after the other as they come, each in a
 * process group of its own that is killed when the program has ended or its time is over. When main
 * has gone, kills what runs. Returns 0 then, or -errno.
 */
int power_helper_main(void);

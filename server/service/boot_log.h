/* SPDX-License-Identifier: MulanPSL-2.0 */
/*
 * The logs that come with reports of the initramfs: as result files of an attempt, or one set a
 * machine, the newest, for boots without one. Best effort: a log that cannot be written must not
 * keep an attempt from ending.
 */
#pragma once

#include "lib/base/buffer.h"
#include "server/core/attempt.h"
#include "server/core/boot_report.h"
#include "server/service/context.h"

/* Where the logs of a report can be read, for its events; NULL: there is none. */
struct boot_log_names {
	const char *log, *panic;
	char room[64];
};

/*
 * Keeps the logs of an attempt's report: initramfs.log of a failure, panic.log when an earlier
 * kernel had died. Returns 0 or -errno of the store.
 */
int boot_log_keep(struct services *s, const struct moment *m, const struct attempt *attempt,
                  const struct boot_report *report, struct boot_log_names *ret);

/* The same of a boot without an attempt, in the place of what this machine sent before. */
void boot_log_keep_machine(const struct services *s, struct mac mac,
                           const struct boot_report *report, struct boot_log_names *ret);

/* Appends what was kept of that machine: log, then panic. Returns 0, or -errno; -ENOENT: nothing.
 */
int boot_log_read_machine(const struct services *s, struct mac mac, struct buffer *out);

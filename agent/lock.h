/* SPDX-License-Identifier: MulanPSL-2.0 */
/*
 * One client a boot: lkp's own lkp-bootstrap and this program keep each other away with the
 * directory and the pid file that lkp's uses (spec of Compass-CI, 7.1 and checklist B3), and this
 * program remembers for its own restart whether it started the job.
 */
#pragma once

#include <stdbool.h>

enum { LOCK_TAKEN = 1 /* lkp's client runs in this boot */ };

/*
 * Takes /var/lock/lkp-bootstrap.lock and writes /lkp/run/lkp-bootstrap.pid below root. Taking again
 * what this program took earlier in this boot is fine. Returns 0, LOCK_TAKEN or -errno.
 */
int lock_take(const char *root, const char *attempt);

/* Whether a run of this program in this boot has started that attempt's job already. */
bool lock_was_started(const char *root, const char *attempt);

/* Remembers that the job is being started. Returns 0 or -errno. */
int lock_set_started(const char *root, const char *attempt);

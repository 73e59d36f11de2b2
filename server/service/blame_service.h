/* SPDX-License-Identifier: MulanPSL-2.0 */
/*
 * The end of an attempt seen from its hosts: flags are set and cleared, health jobs made.
 */
#pragma once

#include "server/core/attempt.h"
#include "server/service/context.h"

/*
 * To be called when an attempt has ended and its job was moved, inside the same transaction.
 * is_poison: the job is held because of it. Returns 0 or -errno.
 */
int blame_service_ended(struct services *s, const struct moment *m, const struct attempt *attempt,
                        const struct job_record *job, bool is_poison);

/*
 * Makes a health job for that host unless one is on its way, by the file `health` of the
 * configuration. Returns 0; BLAME_NO_JOB when there is no such file or it is wrong (logged); or
 * -errno.
 */
enum { BLAME_NO_JOB = 1 };
int blame_service_check(struct services *s, const struct moment *m, const char *host);

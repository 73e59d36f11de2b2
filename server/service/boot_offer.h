/* SPDX-License-Identifier: MulanPSL-2.0 */
/*
 * Takes a job for a host: candidates, choice, attempt, script. Inside the caller's transaction;
 * nothing of it counts before the commit.
 */
#pragma once

#include "lib/base/buffer.h"
#include "server/core/host.h"
#include "server/service/boot_service.h"
#include "server/service/context.h"

enum { BOOT_OFFER_NONE = 1 /* no job for this host now */ };

/*
 * Offers a job to `host`, which asks with `ask` and is at `address`: on 0 the attempt stands and
 * out has its script. Jobs that miss a file wait with that reason. Returns 0, BOOT_OFFER_NONE, or
 * -errno.
 */
int boot_offer_make(struct services *s, const struct moment *m, const struct host *host,
                    const struct boot_ask *ask, uint32_t address, struct buffer *out);

/* The address that URLs name for a client which came in at `local`. */
uint32_t boot_offer_server(const struct services *s, uint32_t local);

/*
 * Looks up what a job needs, for `strict: true` at submit. Returns 0, BOOT_OFFER_NONE with
 * reason[] filled (JOB_REASON_MAX), or -errno.
 */
struct job;
int boot_offer_check(struct services *s, const struct job *job, char *reason);

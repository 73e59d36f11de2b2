/* SPDX-License-Identifier: MulanPSL-2.0 */
/*
 * What the agent of an attempt says, and what time does to attempts and jobs. Every call of an
 * agent carries the attempt's token; one that has ended answers ATTEMPT_GONE, which means: stop.
 * Each function is one transaction.
 */
#pragma once

#include "lib/doc/message.h"
#include "server/core/attempt.h"
#include "server/core/boot_report.h"
#include "server/core/compass_state.h"
#include "server/service/context.h"

enum attempt_outcome {
	ATTEMPT_OK = 0,
	ATTEMPT_NO_TOKEN = 1, /* no such attempt, or not its token: 401 */
	ATTEMPT_GONE = 2,     /* it has ended, or another boot took its place: 410 */
	ATTEMPT_FOREIGN = 3,  /* the peer is not the machine the attempt was given to: 403 */
	ATTEMPT_TOO_LONG = 4, /* a run may not become as long as that */
	ATTEMPT_OTHER = 5,    /* it was finished with another manifest: 409 */
};

/* Finds an open attempt by its id and token; reads only. An attempt_outcome or -errno. */
int attempt_service_check(struct services *s, int64_t id, struct slice token, struct attempt *ret);

/* Whether `peer` is the machine of the attempt: where it booted from, or where its card is now. */
int attempt_service_is_machine(struct services *s, const struct attempt *attempt, uint32_t peer);

/* Whether `peer` is the machine of that job's open attempt: 1, 0 (also without one), -errno. */
int attempt_service_is_job_machine(struct services *s, int64_t job, uint32_t peer);

/* Each fills *ret_answer on ATTEMPT_OK. */
int attempt_service_hello(struct services *s, const struct moment *m, int64_t id,
                          struct slice token, const struct message_hello *hello,
                          struct message_answer *ret_answer);
int attempt_service_stage(struct services *s, const struct moment *m, int64_t id,
                          struct slice token, const struct message_stage_report *report,
                          struct message_answer *ret_answer);
int attempt_service_heartbeat(struct services *s, const struct moment *m, int64_t id,
                              struct slice token, struct message_answer *ret_answer);

/*
 * The run of that job may last so much longer; the agent hears of it with its next heartbeat.
 * Returns ATTEMPT_OK with what is left of it, ATTEMPT_GONE when it does not run, ATTEMPT_TOO_LONG,
 * or -errno.
 */
int attempt_service_renew(struct services *s, const struct moment *m, int64_t job, usec_t more,
                          usec_t *ret_left);

/*
 * What is left of the stage that an attempt is in until its agent has to stop by itself: the
 * server's margin is not the agent's. service_left: of the open one of that host; returns
 * ATTEMPT_OK, ATTEMPT_GONE without an open attempt, or -errno.
 */
usec_t attempt_left(const struct moment *m, const struct attempt *attempt);
int attempt_service_left(struct services *s, const struct moment *m, const char *host,
                         usec_t *ret_left);

/*
 * The last word. Saying it again with the same manifest is ATTEMPT_OK again, with another one
 * ATTEMPT_OTHER; an attempt that has ended without one is ATTEMPT_GONE. manifest is the list as it
 * came, for the record.
 */
int attempt_service_finish(struct services *s, const struct moment *m, int64_t id,
                           struct slice token, const struct message_finish *finish,
                           struct message_answer *ret_answer);

/*
 * What the initramfs says: its stages become events, its failure ends the attempt with the cause
 * "STAGE.STEP.CAUSE" and leaves its journal among the results. The same failure said again is
 * ATTEMPT_OK again.
 */
int attempt_service_report(struct services *s, const struct moment *m, int64_t id,
                           struct slice token, const struct boot_report *report);

/*
 * The same of a boot without an attempt: events, and the log of a failure in the place of the one
 * before; a failure also ends the attempt that this machine was offered and has not begun. Believed
 * only from the address that this card has (else ATTEMPT_FOREIGN).
 */
int attempt_service_boot_report(struct services *s, const struct moment *m, struct mac mac,
                                uint32_t peer, const struct boot_report *report);

/*
 * Words of Compass-CI's clients, which know the job and no token: accepted from the machine only.
 * state: a job_state word moves or judges it, and the stage it tells may last `limit` from now on
 * (0: as it is known for); finish: lkp-post-run, whose word counts when none was said before, and
 * "return" always. An attempt_outcome (GONE also for a job without an open attempt) or -errno.
 */
int attempt_service_compass_state(struct services *s, const struct moment *m, int64_t job,
                                  uint32_t peer, struct slice word, usec_t limit);
int attempt_service_compass_finish(struct services *s, const struct moment *m, int64_t job,
                                   uint32_t peer, struct slice word);

/* The machine says it reboots (lkp-wtmp): what has a cause by then has ended. */
int attempt_service_compass_reboot(struct services *s, const struct moment *m, int64_t job,
                                   uint32_t peer);

/* Boot files: one was asked for; one was served whole. 0 or -errno. */
int attempt_service_file_start(struct services *s, const struct moment *m, struct attempt *attempt);
int attempt_service_file_done(struct services *s, const struct moment *m, struct attempt *attempt,
                              struct slice path);

/* Moves every attempt and job whose time is up. 0 or -errno. */
int attempt_service_timeout(struct services *s, const struct moment *m);

/* The next moment (steady) at which attempt_service_timeout has something to do. 0 or -errno. */
int attempt_service_next(struct services *s, usec_t *ret);

/* SPDX-License-Identifier: MulanPSL-2.0 */
/*
 * What the server is told about a boot: POST /v1/attempts/ID/report with the attempt's token, or
 * /v1/boots/MAC/report where no attempt came along; form-encoded.
 */
#pragma once

#include <stdbool.h>

#include "initramfs/plan.h"

/* Whether those that are told are told by https. */
bool report_wants_tls(const struct plan *plan);

/*
 * The step of a boot that failed: sends stage, step, cause and detail of /run/cci/state, uptime_ms,
 * the end of the journal (of the kernel's log where there is no journalctl), and as panic what an
 * earlier kernel saved when it died (pstore.h), which is then removed. Tried again until it has
 * been taken, refused, or half a minute has gone by. Returns 0, also when there is nobody to tell,
 * or -ECANCELED when that has been told.
 */
int report_failure(const struct plan *plan);

/*
 * How far a good boot came and when: fields stage and uptime_ms, once for each stage, in order; and
 * panic as above. Waits for a connection a tenth of a second at most and for no answer; where there
 * is a panic to be told, or over https, five seconds for each. Nobody is told of a failure.
 */
void report_stages(const struct plan *plan);

/*
 * Tells the server of something that is about to be done, or has been, and waits until it has taken
 * it: `stage` is a name that it knows (docs/api.md), `detail` a sentence. Returns 0, or -EACCES
 * when there is nobody to tell, when nobody answers for half a minute, or the answer is no; then
 * why[REPORT_WHY_MAX] says which.
 */
#define REPORT_WHY_MAX 160
int report_stage(const struct plan *plan, const char *stage, const char *detail, char *why);

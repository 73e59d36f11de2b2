/* SPDX-License-Identifier: MulanPSL-2.0 */
/*
 * All verbs, each defined in its own file.
 */
#pragma once

#include "cli/verb.h"

extern const struct verb verb_boot;
extern const struct verb verb_cancel;
extern const struct verb verb_completion;
extern const struct verb verb_events;
extern const struct verb verb_get;
extern const struct verb verb_host;
extern const struct verb verb_hosts;
extern const struct verb verb_log;
extern const struct verb verb_ps;
extern const struct verb verb_result;
extern const struct verb verb_retry;
extern const struct verb verb_run;
extern const struct verb verb_show;
extern const struct verb verb_submit;
extern const struct verb verb_wait;

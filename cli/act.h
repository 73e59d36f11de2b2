/* SPDX-License-Identifier: MulanPSL-2.0 */
/*
 * Doing the same to several jobs.
 */
#pragma once

#include <stdbool.h>

#include "cli/cci.h"

struct act {
	const char *rest; /* "/cancel": the path behind the job's */
	const char *done; /* "is being cancelled": for the user */
	bool is_new;      /* the answer is another job: its id is the output */
};

/*
 * POSTs to each job; a refusal does not keep the others from their turn. With --json prints what
 * the server says, otherwise the new jobs, or on a terminal what was done. Returns the highest
 * status.
 */
int act_on_jobs(struct cci *cci, const struct act *act, const char *const ids[], size_t n);

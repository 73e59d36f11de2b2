/* SPDX-License-Identifier: MulanPSL-2.0 */
/*
 * The last step of `submit` and `run`.
 */
#pragma once

#include "cli/submission.h"
#include "cli/watch.h"

struct hand_in {
	struct watch watch;
	bool is_dry;   /* only show what would be sent */
	bool is_alone; /* print the id and leave the job alone */
};

/* Shows the job, or sends it and prints its id or follows it. Returns the status. */
int hand_in(struct cci *cci, const struct submission *submission, const struct hand_in *how);

/* SPDX-License-Identifier: MulanPSL-2.0 */
/*
 * The whole of lkp-bootstrap: step decides, this does it.
 */
#pragma once

#include <stdbool.h>

#include "agent/runner.h"

struct agent_options {
	const char *root;    /* prefix of every path; "" for the machine itself */
	bool no_reboot;      /* say what would be done to the machine, and exit */
	enum runner_box box; /* for tests */
};

/*
 * Runs this boot's job to its end, or finds that there is none.
 * Returns 0, or -errno when this program cannot work; systemd starts it again then.
 */
int agent_run(const struct agent_options *options);

/* SPDX-License-Identifier: MulanPSL-2.0 */
/*
 * What cci-init can be told to do.
 */
#pragma once

/*
 * Runs the verb that argv[0] (of a link named after it) or argv[1] names. Returns the exit status:
 * 0 done, 1 failed (and told), 2 wrong usage.
 */
int verbs_run(int argc, char *argv[]);

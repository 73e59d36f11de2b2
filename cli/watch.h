/* SPDX-License-Identifier: MulanPSL-2.0 */
/*
 * A user who waits for jobs: stages on stderr, output on stdout, the exit status of the job.
 */
#pragma once

#include "cli/args.h"
#include "cli/cci.h"
#include "lib/base/usec.h"

/* Options of every verb that waits. */
#define WATCH_OPTIONS                                                                              \
	{ 'p', "progress", NULL, "show the stages of the boot even when stderr is no terminal" },  \
		{ 'q', "quiet", NULL, "show no stages and no verdict" },                           \
	{                                                                                          \
		0, "give-up", "SECONDS",                                                           \
			"end with status 6 after the server was out of reach for this "            \
			"long (default: 600)"                                                      \
	}

struct watch {
	bool has_stages;  /* each event as a line on stderr */
	bool has_output;  /* the job's output on stdout */
	bool has_verdict; /* how it ended, on stderr, whatever it is; false: only what is no pass */
	bool is_known;    /* the server has just been there */
	bool is_quiet;
	usec_t patience;
};

/*
 * Reads WATCH_OPTIONS. Returns CCI_EXIT_PASS, or CCI_EXIT_USAGE after having said why.
 */
int watch_read_options(const struct cci *cci, const struct args *args, struct watch *ret);

/* Follows a job to its end. With --json its document is all that stdout gets. Returns its status.
 */
int watch_job(struct cci *cci, const char *id, const struct watch *watch);

/* SPDX-License-Identifier: MulanPSL-2.0 */
/*
 * What cci exits with. These numbers are a promise to scripts.
 */
#pragma once

#include <jansson.h>
#include <stdbool.h>

enum cci_exit {
	CCI_EXIT_PASS = 0,          /* done; of a job: pass or skip */
	CCI_EXIT_FAIL = 1,          /* the test failed */
	CCI_EXIT_INFRA = 2,         /* infrastructure, error, expired, skipped; our own trouble */
	CCI_EXIT_TIMEOUT = 3,       /* a deadline of the job passed */
	CCI_EXIT_CANCELLED = 4,     /* somebody cancelled the job */
	CCI_EXIT_USAGE = 5,         /* the command, or what it asks the server for, is wrong */
	CCI_EXIT_UNREACHABLE = 6,   /* the server is out of reach */
	CCI_EXIT_INTERRUPTED = 130, /* SIGINT while following (128 + 2, as shells have it); the job
	                               goes on */
};

/* Whether a job (JSON of /v1/jobs/ID) has reached a state that it never leaves. */
bool exit_status_job_ended(const json_t *job);

/*
 * Status for an ended job. A state or verdict that this version does not know counts as
 * CCI_EXIT_INFRA: a script must not take it for a pass.
 */
enum cci_exit exit_status_of_job(const json_t *job);

/* Of several: the highest. */
enum cci_exit exit_status_highest(enum cci_exit a, enum cci_exit b);

/*
 * Status for an HTTP status that ended a command: 2xx 0; 4xx usage (what was asked for is wrong:
 * nobody there, not allowed, not now); 502, 503, 504 out of reach; else infrastructure.
 */
enum cci_exit exit_status_of_http(long status);

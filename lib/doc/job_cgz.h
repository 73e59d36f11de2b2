/* SPDX-License-Identifier: MulanPSL-2.0 */
/*
 * What one attempt of a job brings to its machine: the fields of the dispatched job, and job.cgz
 * with job.sh, job.yaml and the attempt file.
 */
#pragma once

#include <jansson.h>

#include "lib/base/buffer.h"
#include "lib/doc/job.h"
#include "lib/doc/message.h"

/* What is known only when a host has taken the job. */
struct job_dispatch {
	const char *id;          /* of the job */
	const char *result_root; /* /result/... */
	const char *host;        /* becomes testbox */
	const char *server;      /* address that the machine reaches, without a port */
	unsigned api_port, upload_port;
};

/*
 * The fields that job.sh exports and job.yaml holds: the job's, and what Compass-CI's clients need
 * beside them (spec of Compass-CI, checklist A5 as corrected by F3). my_token, secrets and pkg_data
 * do not leave the server.
 * Returns 0 and a new reference, or -ENOMEM.
 */
int job_dispatch_fields(const struct job *job, const struct job_dispatch *dispatch, json_t **ret);

/*
 * Appends job.cgz: lkp/, lkp/scheduled/, job.sh 0775, job.yaml 0664 and (unless attempt is NULL)
 * attempt 0600. The same input gives the same bytes. Returns 0, -ENOMEM or -EIO.
 */
int job_cgz_build(const json_t *fields, const struct attempt_file *attempt, struct buffer *out);

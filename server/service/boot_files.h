/* SPDX-License-Identifier: MulanPSL-2.0 */
/*
 * Which files a job boots from: looked up in the directories that the server serves, links
 * resolved, as URL paths in the order in which the kernel gets them (compass-ci-protocol.md 4.1,
 * interfaces.md 4). These are facts; boot_script makes text of them.
 */
#pragma once

#include "lib/doc/job.h"
#include "lib/format/boot_params.h"
#include "server/core/attempt.h"
#include "server/service/services.h"

#define BOOT_PATH_MAX 512

struct boot_file {
	char url[BOOT_PATH_MAX]; /* an absolute URL, or the path on one of our ports */
	bool is_job;             /* job.cgz: on the API port */
};

struct boot_files {
	struct boot_file kernel;
	struct boot_file initrds[BOOT_INITRDS_MAX]; /* in order, job.cgz among them */
	size_t n_initrds;
	char os_path[BOOT_PATH_MAX]; /* resolved URL path of the OS directory; root= of nfs, cifs */
	char root_image[BOOT_PATH_MAX]; /* of os_mount http: the squashfs */
	char root_sha256[65];
	uint64_t root_size;
	char missing[JOB_REASON_MAX]; /* when something needed is not there: what */
};

enum { BOOT_FILES_MISSING = 1 };

/*
 * Looks everything up. job_id makes the path of job.cgz.
 * Returns 0; BOOT_FILES_MISSING with ret->missing naming the first needed file that is not there
 * (or two files of one name); -errno.
 */
int boot_files_find(const struct services_config *config, const struct job *job, const char *job_id,
                    struct boot_files *ret);

/* The last component of a URL or path. */
const char *boot_file_basename(const char *url);

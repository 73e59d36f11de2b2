/* SPDX-License-Identifier: MulanPSL-2.0 */
/*
 * Who we are in this boot: which job the kernel command line names, which attempt of it lies beside
 * it, and whether it is ours to run.
 */
#pragma once

#include <limits.h>
#include <stdbool.h>

#include "lib/base/bytes.h"
#include "lib/doc/message.h"

#define IDENTITY_JOB_DEFAULT "/lkp/scheduled/job.yaml"

/* What the kernel command line says to us. */
struct identity_words {
	char job[PATH_MAX]; /* job=, or IDENTITY_JOB_DEFAULT */
	char user[64];      /* user=, or lkp */
	bool names_archive; /* initrd=job.cgz: a job was meant to come with the boot */
};

/*
 * Reads a kernel command line: the last `job=` and `user=` count, empty ones do not, and one
 * initrd=job.cgz is enough. Pure.
 */
void identity_read_words(struct slice cmdline, struct identity_words *ret);

/*
 * Whether lkp's own client is to run the job of this job.yaml: it brings job2sh, and does not say
 * `agent: cci`. Read line by line at column 0, as all clients read it. Pure.
 */
bool identity_is_for_lkp(struct slice job_yaml);

struct identity {
	struct identity_words words;
	char script[PATH_MAX]; /* job.sh, below the root given; may be missing */
	struct attempt_file attempt;
	bool is_for_lkp;
	char boot_id[40];
	char kernel[256];
};

enum {
	IDENTITY_NONE = 1, /* this boot has no job of ours; *ret_why says why */
	IDENTITY_BAD = 2,  /* the attempt file is there and unreadable; *ret_why says why */
	IDENTITY_LOST = 3, /* this boot was made for a job, and nothing of it is there */
};

/*
 * Finds the job of this boot below root ("" is the machine itself).
 * Returns 0, one of the above (*ret_why is a static text), or -errno.
 */
int identity_find(const char *root, struct identity *ret, const char **ret_why);

/*
 * Writes the address and the MAC of the interface by which this machine reached the server at
 * local_ip; empty texts when that cannot be found.
 */
void identity_find_mac(const char *local_ip, char ret_mac[18]);

/*
 * Gives the machine its name in the lab as its host name, as jobs of lkp expect it. The kernel's
 * only, until the next boot. Returns 0 or -errno.
 */
int identity_take_name(const struct identity *id);

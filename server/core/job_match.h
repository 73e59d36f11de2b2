/* SPDX-License-Identifier: MulanPSL-2.0 */
/*
 * Whether a job may run on a host (interfaces.md 4). What is not known of a host excludes nothing.
 */
#pragma once

#include "server/core/host.h"

/* What a job says about the machine it wants. */
struct job_wish {
	struct slice testbox, tbox_group;
	struct slice queues[2];
	unsigned n_queues;
	struct slice arch;             /* of the system it boots */
	const struct job_needs *needs; /* NULL: none */
	struct slice submitter;
	enum job_kind kind;
	usec_t steady;         /* the moment asked about */
	bool testbox_is_host;  /* a host of that very name is registered */
	bool failed_here;      /* an attempt on this host failed for infrastructure */
	bool can_go_elsewhere; /* another matching host has not failed it yet */
};

enum job_match {
	JOB_MATCHES = 0,
	JOB_MATCH_OTHER_HOST, /* it names another host, group or queue */
	JOB_MATCH_ARCH,       /* the host has another architecture */
	JOB_MATCH_MEMORY,     /* it has less memory than the job needs */
	JOB_MATCH_DISKS,      /* fewer disks */
	JOB_MATCH_TAGS,       /* not all the tags */
	JOB_MATCH_BARRED,     /* the host takes no such jobs (host_flags_bar) */
	JOB_MATCH_RESERVED,   /* somebody else has it for himself */
	JOB_MATCH_DISCOVERED, /* the host registered itself; only a job that names it may use it */
	JOB_MATCH_FAILED,     /* it failed there before and can go elsewhere */
	_JOB_MATCH_MAX,
};

/* In words, for the reason of a wait. */
const char *job_match_to_text(int match);

/*
 * Decides. What can never change comes first, so that the answer of a host that cannot ever take
 * the job does not depend on its flags (job_match_is_for_ever). A job that names a registered host
 * belongs to that host alone; otherwise its testbox or tbox_group must be the host's name or one of
 * its groups, or one of its queues among the host's. Returns an enum job_match. Pure.
 */
int job_match(const struct job_wish *wish, const struct host *host);

/* Whether that answer stays as long as host and job are described as they are. */
bool job_match_is_for_ever(int match);

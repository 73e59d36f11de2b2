/* SPDX-License-Identifier: MulanPSL-2.0 */
/*
 * Records of a job and of an attempt, as the store keeps them and the services read them. Times
 * named _wall are for people. Times named _steady are on the server's own steady clock (wall time
 * at its start plus what the monotonic clock counted since), so that a step of the wall clock moves
 * no deadline.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "lib/base/usec.h"
#include "lib/format/netaddr.h"
#include "server/core/host.h"
#include "server/core/job_machine.h"
#include "server/core/retention.h"

#define JOB_NAME_MAX        132 /* names of documents are at most 128 bytes */
#define JOB_CAUSE_MAX       64
#define JOB_REASON_MAX      240
#define JOB_ROOT_MAX        512
#define ATTEMPT_TOKEN_LEN   32 /* hexadecimal digits */
#define ATTEMPT_BOOT_ID_MAX 64

struct job_record {
	int64_t id;
	enum job_state state;
	enum job_verdict verdict;
	char cause[JOB_CAUSE_MAX];
	char upload[16];             /* "complete", "incomplete", empty while nothing is known */
	char reason[JOB_REASON_MAX]; /* of the present wait; empty when none is known */
	char suite[JOB_NAME_MAX], testbox[JOB_NAME_MAX], tbox_group[JOB_NAME_MAX];
	char queues[2][JOB_NAME_MAX];
	unsigned n_queues;
	char arch[HOST_ARCH_MAX];
	char submitter[JOB_NAME_MAX]; /* whose it is: account, else mail address; may be empty */
	enum job_kind kind;
	bool is_held; /* waits for a person, not for a machine */
	int64_t priority;
	struct job_needs needs;
	bool is_idle;       /* only for machines that would have nothing to do */
	bool is_ready;      /* may be offered as soon as a host asks; written by service/moves */
	int64_t lane, rank; /* where it waits: see store/job_store, core/sched_decide */
	char result_root[JOB_ROOT_MAX];
	unsigned tries, max_tries, lost_offers;
	usec_t run_limit;
	usec_t not_before_steady; /* back-off */
	usec_t expires_steady;
	usec_t submitted_wall, finished_wall;
	int64_t attempt; /* the one whose results count (S4); 0: none yet */
	/* written by store/retention_store alone: */
	bool is_kept;
	enum results_state results;
	enum retention_cause results_cause;
	usec_t results_wall; /* since when they are so; 0: from the beginning */
};

struct attempt {
	int64_t id, job;
	char host[HOST_NAME_MAX_LEN];
	struct mac mac;
	enum attempt_state state;
	int64_t session;
	char token[ATTEMPT_TOKEN_LEN + 1];
	char boot_id[ATTEMPT_BOOT_ID_MAX]; /* of the kernel that said hello; empty before */
	uint32_t address;                  /* of the machine when it asked */
	uint32_t server;                   /* our address it asked at */
	char os_mount[16];                 /* of its job: boots of one kind are compared */
	char kernel_path[JOB_ROOT_MAX];    /* URL path whose whole transfer means that it boots */
	enum job_verdict verdict;
	char cause[JOB_CAUSE_MAX];
	usec_t run_limit;        /* of its job, and what was added to it */
	usec_t run_until_steady; /* until then the job's code may run; 0: it has not begun */
	usec_t deadline_steady;
	usec_t since_steady; /* when it came into its state */
	usec_t state_limit;  /* how long that may last, unless it runs; 0: core/deadlines says */
	usec_t seen_steady;  /* last sign of life */
	usec_t offered_wall, hello_wall, ended_wall;
	char upload[16]; /* not stored: what the job is told when the attempt ends */
};

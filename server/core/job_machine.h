/* SPDX-License-Identifier: MulanPSL-2.0 */
/*
 * The states of a job (what a user submitted) and what moves it. An attempt is one try of it on one
 * host and has its own machine; when an attempt ends, job_judge says what that means for the job.
 */
#pragma once

#include <stdbool.h>

#include "lib/base/bytes.h"
#include "lib/base/machine.h"
#include "lib/base/usec.h"
#include "server/core/attempt_machine.h"

enum job_state {
	JOB_WAITING, /* accepted; something it needs is missing (its reason says what) */
	JOB_QUEUED,  /* waits for a host */
	JOB_ACTIVE,  /* one attempt is open */
	JOB_FINISHED,
	JOB_CANCELLED,
	JOB_TIMEOUT,
	JOB_ERROR,
	JOB_EXPIRED,
	JOB_SKIPPED,
	_JOB_STATE_MAX,
};

enum job_event {
	JOB_EVENT_READY,   /* what was missing is there */
	JOB_EVENT_BLOCK,   /* something needed is missing */
	JOB_EVENT_CLAIM,   /* an attempt was made */
	JOB_EVENT_REQUEUE, /* its attempt ended without a verdict; it may try again */
	JOB_EVENT_FINISH,  /* its attempt ended with a verdict */
	JOB_EVENT_CANCEL,
	JOB_EVENT_TIMEOUT, /* it ran longer than it may */
	JOB_EVENT_GIVE_UP, /* too many attempts failed */
	JOB_EVENT_EXPIRE,  /* nobody took it in time */
	JOB_EVENT_SKIP,    /* what it depends on failed */
	JOB_EVENT_HOLD,    /* it failed on too many hosts: somebody has to look at it */
	_JOB_EVENT_MAX,
};

extern const struct machine job_machine;

/* "queued" and so on, as the API says it. */
const char *job_state_to_name(int value);
int job_state_from_name(struct slice name);

bool job_state_is_final(int state);

/* Verdict of a finished job, and whether its results all arrived. */
enum job_verdict { JOB_VERDICT_NONE, JOB_PASS, JOB_FAIL, JOB_SKIP, _JOB_VERDICT_MAX };
const char *job_verdict_to_name(int value);
int job_verdict_from_name(struct slice name);

/* What is known when an attempt has ended. */
struct job_judge_facts {
	enum attempt_state ended;  /* a final state */
	enum job_verdict verdict;  /* of the attempt; NONE when it told none */
	bool ran_out;              /* the agent ended the job's code at its deadline */
	unsigned tries, max_tries; /* infrastructure failures charged before this one */
	unsigned lost_offers;      /* offers lost before this one */
	unsigned n_failed_hosts; /* distinct ones that infrastructure failed it on, this included */
};

struct job_judgement {
	enum job_event event;
	bool charge;     /* count one more try */
	bool lost_offer; /* count one more lost offer */
	usec_t back_off; /* REQUEUE: not again before that long */
};

/* A job that fails for infrastructure on this many hosts is more likely to blame than they are. */
#define JOB_POISON_HOSTS 3

/* How long a held job waits for a person before it ends as an error. */
#define JOB_HOLD_LENGTH (24 * 60 * USEC_PER_MINUTE)

/* More offers than this to machines that never fetch a file, and each further one is charged. */
#define JOB_LOST_OFFERS_MAX 10

#define JOB_BACK_OFF_FIRST (30 * USEC_PER_SEC)
#define JOB_BACK_OFF_MAX   (10 * USEC_PER_MINUTE)

/*
 * What the end of an attempt means for its job: a verdict finishes it, a deadline of the run times
 * it out (whoever was first to see it passed, the agent or we), infrastructure is tried again with
 * back-off until max_tries, a lost offer costs nothing. A job that infrastructure fails on
 * JOB_POISON_HOSTS distinct hosts is held.
 */
struct job_judgement job_judge(const struct job_judge_facts *facts);

/* SPDX-License-Identifier: MulanPSL-2.0 */
/*
 * The life of one attempt on its machine, as a pure machine: hello, job, results, finish, reboot.
 * It is told what happened and the time; it says what to do next. It never gives up on a server
 * that does not answer as long as the job runs, and it never starts the job's code before the
 * server has accepted hello.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "agent/backoff.h"
#include "lib/base/rng.h"
#include "lib/base/usec.h"
#include "lib/doc/job.h"
#include "lib/doc/message.h"

enum step_state {
	STEP_STATE_HELLO,     /* the server has not accepted us yet */
	STEP_STATE_SETUP,     /* accepted; the job is being started */
	STEP_STATE_RUNNING,   /* its main process runs */
	STEP_STATE_STOPPING,  /* its processes are on their way out */
	STEP_STATE_UPLOADING, /* results are on their way */
	STEP_STATE_FINISHING, /* verdict and manifest are to be told */
	STEP_STATE_ENDING,    /* the machine is to be handed back */
	_STEP_STATE_MAX,
};

const char *step_state_to_name(int state);

/* Requests of the control channel: one is under way at any time. */
enum step_call {
	STEP_CALL_HELLO,
	STEP_CALL_STAGE,
	STEP_CALL_HEARTBEAT,
	STEP_CALL_FINISH,
};

enum step_want {
	STEP_WANT_WAIT,  /* nothing until step_deadline or the next event */
	STEP_WANT_CALL,  /* send step->call (for STAGE: step->call_stage); answer: step_answered */
	STEP_WANT_START, /* start the job; then step_started */
	STEP_WANT_TERM,  /* ask all processes of the job to end */
	STEP_WANT_KILL,  /* end them */
	STEP_WANT_COLLECT, /* upload what is below $RESULT_ROOT; then step_uploaded */
	STEP_WANT_GIVE_UP, /* stop uploading: the manifest is all the server gets */
	STEP_WANT_END,     /* do step->end; nothing is wanted after it */
};

enum step_end {
	STEP_END_REBOOT,
	STEP_END_POWEROFF,
	STEP_END_EXIT, /* the service is being stopped: whoever stops it decides */
};

/* Why there is no ordinary verdict. */
enum step_cause {
	STEP_CAUSE_NONE,
	STEP_CAUSE_CRASH, /* killed by a signal that was not ours */
	STEP_CAUSE_TIMEOUT,
	STEP_CAUSE_CANCELLED,
	STEP_CAUSE_NO_JOB,        /* there is no job.sh */
	STEP_CAUSE_START_FAILED,  /* it could not be started */
	STEP_CAUSE_AGENT_RESTART, /* this program died while the job ran */
	STEP_CAUSE_UNKILLABLE,    /* processes remain that SIGKILL does not end */
	_STEP_CAUSE_MAX,
};

/* The word for `cause` of finish; "" for none. */
const char *step_cause_to_name(int cause);

#define STEP_GRACE_TIMEOUT  (20 * USEC_PER_SEC) /* the server waits 60 s past the deadline */
#define STEP_GRACE_CANCEL   (60 * USEC_PER_SEC)
#define STEP_GRACE_LEFTOVER (5 * USEC_PER_SEC) /* for what a job left running behind itself */
#define STEP_UNKILLABLE     (30 * USEC_PER_SEC)
#define STEP_UPLOAD_IDLE    (1800 * USEC_PER_SEC) /* without one byte acknowledged */
#define STEP_FINISH_MAX     (1800 * USEC_PER_SEC)
#define STEP_EAGER          (120 * USEC_PER_SEC) /* how long hello is tried every second */
#define STEP_HEARTBEAT_MAX  (10 * USEC_PER_SEC)  /* how late a cancel may be noticed */
#define STEP_REFUSED_WAIT   (10 * USEC_PER_SEC)  /* before a refused machine reboots */

struct step {
	enum step_state state;
	struct rng rng;
	usec_t begin;
	bool was_started; /* a previous run of this program started the job: never again */

	/* the control channel */
	bool is_calling;
	enum step_call call;
	enum message_stage call_stage; /* of a STAGE call */
	bool has_failed;               /* the last call did */
	usec_t call_at;                /* not before */
	struct backoff backoff;
	unsigned stages; /* bit set: still to be told */
	usec_t heartbeat_at;
	uint32_t lease_sec;

	/* the job */
	bool start_asked, has_exited, was_killed;
	usec_t deadline;  /* of the job; USEC_INFINITY when the server set none */
	usec_t kill_at;   /* when patience with the job ends */
	usec_t finish_by; /* when patience with the server ends */
	bool term_wanted, kill_wanted, collect_wanted, give_up_wanted, end_wanted;
	bool is_fenced; /* this attempt is not ours any more */
	bool is_stopped;

	/* the outcome */
	enum message_verdict verdict;
	enum step_cause cause;
	int exit_code; /* -1: none */
	enum step_end end;
	usec_t end_at;
};

/* was_started: the job was started by a run of this program before this one. */
void step_init(struct step *s, uint64_t seed, bool was_started, usec_t now);

/* What to do next; call again until it says WAIT. Each other want is given once. */
enum step_want step_next(struct step *s, usec_t now);

/* When to call step_next again although nothing happened. */
usec_t step_deadline(const struct step *s);

/*
 * The control call under way was answered. status 0: no answer came; body NULL: none that could be
 * read. retry_after_sec as the server said, 0 for nothing.
 */
void step_answered(struct step *s, unsigned status, const struct message_answer *body,
                   uint32_t retry_after_sec, usec_t now);

/* The start that was wanted happened: r is 0, or -errno (-ENOENT: no job.sh). */
void step_started(struct step *s, int r, usec_t now);

/* The job's main process ended: by exit with a code, or (code < 0) by a signal. */
void step_exited(struct step *s, int code, usec_t now);

/* No process of the job is left, its main one (step_exited) included. */
void step_emptied(struct step *s, usec_t now);

/* The server acknowledged bytes. */
void step_progressed(struct step *s, usec_t now);

/* All files are there, or refused. */
void step_uploaded(struct step *s, usec_t now);

/* An upload was answered 401 or 410. */
void step_fenced(struct step *s, usec_t now);

/* This service is told to stop: the job dies with it. */
void step_stop(struct step *s, usec_t now);

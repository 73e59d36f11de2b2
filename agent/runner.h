/* SPDX-License-Identifier: MulanPSL-2.0 */
/*
 * The job's processes: started inside a box that holds all of them whatever they do, signalled and
 * killed as one, watched until the last is gone. The box is a transient scope of systemd; where
 * there is no systemd, a control group of our own; where that cannot be, the tree of processes
 * below us (PR_SET_CHILD_SUBREAPER).
 */
#pragma once

#include <stdbool.h>
#include <sys/types.h>
#include <systemd/sd-event.h>

struct runner;

struct runner_events {
	void (*started)(void *userdata, int r);   /* 0, or -errno: nothing runs */
	void (*exited)(void *userdata, int code); /* the main process; code -1: by a signal */
	void (*emptied)(void *userdata);          /* no process is left; after exited */
};

struct runner_job {
	const char *name;       /* of the box: letters, digits, `-` */
	const char *script;     /* run as `script run_job` */
	const char *directory;  /* to run in */
	const char *const *env; /* the whole environment, ends in NULL */
	int output_fd;          /* becomes stdout and stderr */
};

enum runner_box {
	RUNNER_BOX_ANY,    /* the first that works */
	RUNNER_BOX_CGROUP, /* for tests: begin with this one */
	RUNNER_BOX_TREE,
};

/*
 * Makes a runner; the process becomes a subreaper and must have SIGCHLD blocked. Returns 0 or
 * -errno.
 */
int runner_new(sd_event *event, enum runner_box box, const struct runner_events *events,
               void *userdata, struct runner **ret);

/* Frees; processes that still run are left alone. */
void runner_free(struct runner *runner);

/*
 * Starts the job. Everything in *job may go when this returns. Returns 0 (started is called later)
 * or -errno (-ENOENT: there is no script).
 */
int runner_start(struct runner *runner, const struct runner_job *job);

/* SIGTERM to all processes of the job. */
void runner_term(struct runner *runner);

/* Kills all processes of the job; goes on until none is left. */
void runner_kill(struct runner *runner);

/* Whether a job has been started and is not emptied. */
bool runner_is_busy(const struct runner *runner);

/* How the job is boxed, for the log. */
const char *runner_box_name(const struct runner *runner);

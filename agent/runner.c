/* SPDX-License-Identifier: MulanPSL-2.0 */
/*
 * The child waits for one byte before it becomes the job: by then it is in its box.
 */
#include "agent/runner.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "agent/cgroup.h"
#include "agent/scope.h"
#include "agent/tree.h"
#include "lib/base/log.h"
#include "lib/base/macro.h"
#include "lib/base/usec.h"
#include "lib/sys/fd.h"

#define KILL_AGAIN (200 * USEC_PER_MSEC) /* while something survives a kill, or forks past it */

struct runner {
	sd_event *event;
	sd_event_source *child_source, *group_source, *kill_timer;
	struct runner_events events;
	void *userdata;
	enum runner_box box;
	struct scope_request *scope;
	int scope_error; /* why systemd could not even be asked */
	struct cgroup group;
	char name[64];
	pid_t pid;   /* of the main process; 0: none */
	int gate_fd; /* writing here lets the child go */
	bool is_busy, has_started, has_exited, has_children, is_killing;
};

/* ------------------------------------------------------------------------- what is left */

static bool is_populated(const struct runner *r)
{
	return r->group.dir_fd >= 0 ? cgroup_is_populated(&r->group) : r->has_children;
}

/* Tells when the last process has gone. */
static void check_empty(struct runner *r)
{
	if (!r->is_busy || !r->has_exited || is_populated(r))
		return;
	r->is_busy = r->is_killing = false;
	r->group_source = sd_event_source_disable_unref(r->group_source);
	(void)sd_event_source_set_enabled(r->kill_timer, SD_EVENT_OFF);
	cgroup_deinit(&r->group);
	r->events.emptied(r->userdata);
}

static void main_exited(struct runner *r, int status)
{
	int code = WIFEXITED(status) ? WEXITSTATUS(status) : -1;

	r->pid = 0;
	r->has_exited = true;
	if (!r->has_started) { /* it died in front of the gate */
		r->scope = (scope_request_free(r->scope), NULL);
		fd_close(&r->gate_fd);
		r->has_started = true;
		r->events.started(r->userdata, -ECHILD);
		return;
	}
	r->events.exited(r->userdata, code);
}

/* Reaps: the main process, and the orphans a subreaper inherits. */
static int on_child(sd_event_source *source, const struct signalfd_siginfo *si, void *userdata)
{
	struct runner *r = userdata;
	int status;
	pid_t pid;

	while ((pid = waitpid(-1, &status, WNOHANG)) > 0)
		if (pid == r->pid)
			main_exited(r, status);
	r->has_children = pid == 0;
	check_empty(r);
	return 0;
}

static int on_group_event(sd_event_source *source, int fd, uint32_t revents, void *userdata)
{
	struct runner *r = userdata;

	if (!cgroup_is_populated(&r->group)) /* reading it makes it quiet again */
		(void)sd_event_source_set_enabled(source, SD_EVENT_OFF);
	check_empty(r);
	return 0;
}

static void kill_once(struct runner *r)
{
	if (r->group.dir_fd >= 0)
		cgroup_kill(&r->group);
	else
		(void)tree_signal(SIGKILL);
}

static int on_kill_timer(sd_event_source *source, uint64_t usec, void *userdata)
{
	struct runner *r = userdata;

	if (!r->is_killing)
		return 0;
	kill_once(r);
	check_empty(r);
	(void)sd_event_source_set_time_relative(source, KILL_AGAIN);
	(void)sd_event_source_set_enabled(source, SD_EVENT_ONESHOT);
	return 0;
}

/* ------------------------------------------------------------------------- start */

/* In the child, behind the gate: becomes the job. */
static void become_job(const struct runner_job *job, int null_fd)
{
	char *const argv[] = { (char *)job->script, (char *)"run_job", NULL };
	char *const shell[] = { (char *)"sh", (char *)job->script, (char *)"run_job", NULL };
	char *const *env = (char *const *)job->env;
	int fd = open("/proc/self/oom_score_adj", O_WRONLY | O_CLOEXEC);

	if (fd >= 0)
		(void)!write(fd, "0", 1); /* the agent is spared, its job is not */
	(void)umask(022);
	(void)!chdir(job->directory);
	if (dup2(null_fd, 0) < 0 || dup2(job->output_fd, 1) < 0 || dup2(job->output_fd, 2) < 0)
		_exit(126);
	(void)execve(job->script, argv, env);
	if (errno == ENOEXEC || errno == EACCES)
		(void)execve("/bin/sh", shell, env);
	dprintf(2, "lkp-bootstrap: %s: %s\n", job->script, strerror(errno));
	_exit(errno == ENOENT ? 127 : 126);
}

static void run_child(const struct runner_job *job, int gate_fd, int null_fd, pid_t parent)
{
	sigset_t none;
	char byte;

	for (int i = 1; i < NSIG; i++)
		(void)signal(i, SIG_DFL);
	(void)sigemptyset(&none);
	(void)sigprocmask(SIG_SETMASK, &none, NULL);
	(void)setsid();
	(void)prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (getppid() != parent)
		_exit(126);
	if (read(gate_fd, &byte, 1) != 1)
		_exit(126);
	become_job(job, null_fd);
}

/* Lets the child go. */
static void open_gate(struct runner *r)
{
	ssize_t n = write(r->gate_fd, "g", 1);

	fd_close(&r->gate_fd);
	if (n != 1)
		return; /* it is dead: on_child tells */
	r->has_started = true;
	log_info("job started pid=%d box=%s", (int)r->pid, runner_box_name(r));
	r->events.started(r->userdata, 0);
}

static void watch_group(struct runner *r)
{
	int q = sd_event_add_io(r->event, &r->group_source, r->group.events_fd, EPOLLPRI,
	                        on_group_event, r);

	if (q < 0) {
		log_warning("the control group of the job cannot be watched: %s", strerror(-q));
		cgroup_deinit(&r->group); /* the tree then */
	}
}

static int enter_group(struct runner *r)
{
	int q;

	if (r->box == RUNNER_BOX_TREE)
		return 0;
	q = cgroup_make(r->name, &r->group);
	if (q < 0)
		return q;
	q = cgroup_add(&r->group, r->pid);
	if (q < 0) {
		cgroup_deinit(&r->group);
		return q;
	}
	watch_group(r);
	return 0;
}

/* systemd has answered. */
static void on_scope(void *userdata, int q)
{
	struct runner *r = userdata;
	struct cgroup own = CGROUP_NULL;

	scope_request_free(r->scope);
	r->scope = NULL;
	if (q == 0)
		q = cgroup_open_of(r->pid, &r->group);
	if (q == 0 && cgroup_open_of(getpid(), &own) == 0 && cgroup_equal(&r->group, &own))
		q = -ENOTUNIQ; /* a box with us in it is none */
	cgroup_deinit(&own);
	if (q == 0) {
		watch_group(r);
	} else {
		if (r->box == RUNNER_BOX_ANY)
			log_warning("no scope for the job: %s", strerror(-q));
		cgroup_deinit(&r->group);
		q = enter_group(r);
		if (q < 0)
			log_warning("no control group for the job: %s", strerror(-q));
	}
	open_gate(r);
}

static int on_no_scope(sd_event_source *source, void *userdata)
{
	struct runner *r = userdata;

	on_scope(r, r->scope_error);
	return 0;
}

/* Asks for the box; the gate opens from the event loop whatever comes of it. */
static int ask_for_box(struct runner *r)
{
	char unit[80];
	int q = -EOPNOTSUPP;

	(void)snprintf(unit, sizeof(unit), "%s.scope", r->name);
	if (r->box == RUNNER_BOX_ANY)
		q = scope_start(r->event, unit, r->pid, on_scope, r, &r->scope);
	r->scope_error = q;
	if (q < 0)
		q = sd_event_add_defer(r->event, NULL, on_no_scope, r);
	return q;
}

int runner_start(struct runner *r, const struct runner_job *job)
{
	CLEANUP(fd_closep) int null_fd = open("/dev/null", O_RDONLY | O_CLOEXEC);
	CLEANUP(fd_closep) int gate = -1;
	pid_t parent = getpid();
	int fds[2];

	if (access(job->script, R_OK) < 0)
		return -errno;
	if (null_fd < 0 || pipe2(fds, O_CLOEXEC) < 0)
		return -errno;
	gate = fds[0];
	r->gate_fd = fds[1];
	(void)snprintf(r->name, sizeof(r->name), "%s", job->name);
	r->pid = fork();
	if (r->pid < 0) {
		r->pid = 0;
		fd_close(&r->gate_fd);
		return -errno;
	}
	if (r->pid == 0) {
		fd_close(&r->gate_fd);
		run_child(job, gate, null_fd, parent);
		_exit(126);
	}
	r->is_busy = r->has_children = true;
	return ask_for_box(r);
}

/* ------------------------------------------------------------------------- public */

int runner_new(sd_event *event, enum runner_box box, const struct runner_events *events,
               void *userdata, struct runner **ret)
{
	struct runner *r = calloc(1, sizeof(*r));
	int q;

	if (!r)
		return -ENOMEM;
	r->event = sd_event_ref(event);
	r->box = box;
	r->events = *events;
	r->userdata = userdata;
	r->gate_fd = -1;
	r->group = CGROUP_NULL;
	q = prctl(PR_SET_CHILD_SUBREAPER, 1) < 0 ? -errno : 0;
	if (q == 0)
		q = sd_event_add_signal(event, &r->child_source, SIGCHLD, on_child, r);
	if (q >= 0)
		q = sd_event_add_time_relative(event, &r->kill_timer, CLOCK_MONOTONIC, 0, 1,
		                               on_kill_timer, r);
	if (q < 0) {
		runner_free(r);
		return q;
	}
	(void)sd_event_source_set_enabled(r->kill_timer, SD_EVENT_OFF);
	*ret = r;
	return 0;
}

void runner_free(struct runner *r)
{
	if (!r)
		return;
	scope_request_free(r->scope);
	sd_event_source_disable_unref(r->child_source);
	sd_event_source_disable_unref(r->group_source);
	sd_event_source_disable_unref(r->kill_timer);
	fd_close(&r->gate_fd);
	cgroup_deinit(&r->group);
	sd_event_unref(r->event);
	free(r);
}

void runner_term(struct runner *r)
{
	if (!r->is_busy)
		return;
	if (r->group.dir_fd >= 0)
		cgroup_signal(&r->group, SIGTERM);
	else
		(void)tree_signal(SIGTERM);
}

void runner_kill(struct runner *r)
{
	if (!r->is_busy)
		return;
	r->is_killing = true;
	kill_once(r);
	(void)sd_event_source_set_time_relative(r->kill_timer, KILL_AGAIN);
	(void)sd_event_source_set_enabled(r->kill_timer, SD_EVENT_ONESHOT);
}

bool runner_is_busy(const struct runner *r)
{
	return r->is_busy;
}

const char *runner_box_name(const struct runner *r)
{
	return r->group.dir_fd < 0 ? "tree" : r->group.is_made ? "cgroup" : "scope";
}

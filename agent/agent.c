/* SPDX-License-Identifier: MulanPSL-2.0 */
/*
 * Events of the loop become calls of step_*; what step_next wants is done here.
 */
#include "agent/agent.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <systemd/sd-daemon.h>
#include <systemd/sd-event.h>
#include <unistd.h>

#include "agent/client.h"
#include "agent/control.h"
#include "agent/identity.h"
#include "agent/job_env.h"
#include "agent/lock.h"
#include "agent/machine_end.h"
#include "agent/output.h"
#include "agent/spool.h"
#include "agent/step.h"
#include "lib/base/log.h"
#include "lib/base/macro.h"
#include "lib/base/text.h"
#include "lib/doc/message.h"
#include "lib/sys/clock.h"
#include "lib/sys/fd.h"
#include "lib/sys/file.h"
#include "lib/sys/random.h"

#define FORCE_AFTER (120 * USEC_PER_SEC) /* systemd's own limit for stopping a unit is 90 s */

struct agent {
	const struct agent_options *options;
	struct identity id;
	char tmp[PATH_MAX]; /* $TMP, below root */
	int result_fd;      /* $RESULT_ROOT */
	char result_root[MESSAGE_PATH_MAX];

	sd_event *event;
	sd_event_source *timer, *force_timer;
	struct step step;
	struct client *client;
	struct control *control;
	struct runner *runner;
	struct output *output;
	struct spool *spool;
	enum step_state told_state; /* for the log */
};

static void pump(struct agent *a);

/* ------------------------------------------------------------------------------------ answers */

/* The bootup line and RESULT_ROOT= for those who read the serial console (checklist B8). */
static void say_hello(const struct agent *a, const char *local_ip)
{
	CLEANUP(freep) char *lines = NULL;
	char mac[18];

	identity_find_mac(local_ip, mac);
	lines = text_format("\r\nLKP: HOSTNAME %s, MAC %s, IP %s, kernel %s, job %s\r\n"
	                    "RESULT_ROOT=%s\r\n",
	                    a->id.attempt.host, mac, local_ip, a->id.kernel, a->id.attempt.job,
	                    a->result_root);
	if (lines)
		machine_say(a->options->root, lines);
	log_notice("hello accepted job=%s attempt=%s result_root=%s", a->id.attempt.job,
	           a->id.attempt.attempt, a->result_root);
}

/* A machine of the lab takes the lab's name for it; one that only tries a job out keeps its own. */
static void take_name(const struct agent *a)
{
	int r;

	if (a->options->root[0] || a->options->no_reboot)
		return;
	r = identity_take_name(&a->id);
	if (r < 0)
		log_warning("host name %s not taken: %s", a->id.attempt.host, strerror(-r));
}

static void on_answer(void *userdata, const struct client_reply *reply,
                      const struct message_answer *body)
{
	struct agent *a = userdata;

	if (body && body->log_interval_ms > 0)
		spool_set_interval(a->spool, body->log_interval_ms);
	if (body && a->step.call == STEP_CALL_HELLO) {
		(void)snprintf(a->result_root, sizeof(a->result_root), "%s", body->result_root);
		say_hello(a, reply->local_ip);
		take_name(a);
	}
	step_answered(&a->step, reply->status, body, reply->retry_after_sec, clock_now());
	pump(a);
}

/* ------------------------------------------------------------------------- job and results */

static void on_started(void *userdata, int r)
{
	struct agent *a = userdata;

	output_close_writer(a->output);
	step_started(&a->step, r, clock_now());
	pump(a);
}

static void on_exited(void *userdata, int code)
{
	struct agent *a = userdata;

	log_notice("job exited code=%d", code);
	step_exited(&a->step, code, clock_now());
	/* the runner may say at once that nothing is left: ask step only after that */
	(void)sd_event_source_set_time(a->timer, 0);
	(void)sd_event_source_set_enabled(a->timer, SD_EVENT_ONESHOT);
}

static void on_emptied(void *userdata)
{
	struct agent *a = userdata;

	step_emptied(&a->step, clock_now());
	pump(a);
}

static void on_log_grew(void *userdata, uint64_t size)
{
	struct agent *a = userdata;

	if (a->spool)
		spool_log_grew(a->spool, size);
}

static void on_progressed(void *userdata)
{
	struct agent *a = userdata;

	step_progressed(&a->step, clock_now());
}

static void on_uploaded(void *userdata)
{
	struct agent *a = userdata;

	log_info("results uploaded lost=%zu", spool_n_lost(a->spool));
	step_uploaded(&a->step, clock_now());
	pump(a);
}

static void on_fenced(void *userdata)
{
	struct agent *a = userdata;

	step_fenced(&a->step, clock_now());
	pump(a);
}

static int start_job(struct agent *a)
{
	const struct job_env_facts facts = {
		.tmp = a->tmp,
		.user = a->id.words.user,
		.job = a->id.attempt.job,
		.host = a->id.attempt.host,
		.result_root = a->result_root,
	};
	struct runner_job job = {
		.script = a->id.script,
		.directory = a->tmp,
		.output_fd = output_writer(a->output),
	};
	CLEANUP(job_env_freep) char **env = job_env_build(&facts);
	char name[64];
	int r;

	if (!env)
		return -ENOMEM;
	r = lock_set_started(a->options->root, a->id.attempt.attempt);
	if (r < 0)
		return r;
	(void)snprintf(name, sizeof(name), "lkp-job-%.40s", a->id.attempt.attempt);
	job.name = name;
	job.env = (const char *const *)env;
	return runner_start(a->runner, &job);
}

static void kill_job(struct agent *a)
{
	if (runner_is_busy(a->runner))
		runner_kill(a->runner);
	else /* never started by this process */
		step_emptied(&a->step, clock_now());
}

static void collect(struct agent *a)
{
	int r;

	output_finish(a->output); /* tells the spool the final size */
	r = spool_collect(a->spool, a->result_fd);
	if (r < 0)
		log_warning("not all results could be found: %s", strerror(-r));
}

/* ------------------------------------------------------------------------- the end */

static int on_force(sd_event_source *source, uint64_t usec, void *userdata)
{
	struct agent *a = userdata;

	log_error("the machine did not go down: forcing it");
	(void)machine_end_by_force(a->step.end);
	return 0;
}

static void end(struct agent *a)
{
	static const char *const names[] = { "reboot", "poweroff", "exit" };
	enum step_end how = a->step.end;
	int r;

	log_notice("end=%s verdict=%s cause=%s", names[how],
	           message_verdict_to_name(a->step.verdict), step_cause_to_name(a->step.cause));
	if (how == STEP_END_EXIT || a->options->no_reboot) {
		(void)sd_event_exit(a->event, 0);
		return;
	}
	machine_say(a->options->root, how == STEP_END_POWEROFF
	                                      ? "\r\nLKP: job done, powering off\r\n"
	                                      : "\r\nLKP: job done, rebooting\r\n");
	r = machine_end(how);
	if (r < 0)
		log_error("cannot %s: %s", names[how], strerror(-r));
	r = sd_event_add_time_relative(a->event, &a->force_timer, CLOCK_MONOTONIC, FORCE_AFTER, 1,
	                               on_force, a);
	if (r < 0)
		(void)machine_end_by_force(how);
}

/* ------------------------------------------------------------------------- the pump */

/* Does one thing that step wants. */
static void obey(struct agent *a, enum step_want want)
{
	int r;

	switch (want) {
	case STEP_WANT_CALL:
		r = control_send(a->control, &a->step, a->spool, output_cut(a->output));
		if (r < 0) {
			log_warning("cannot send: %s", strerror(-r));
			step_answered(&a->step, 0, NULL, 0, clock_now());
		}
		return;
	case STEP_WANT_START:
		r = start_job(a);
		if (r < 0) {
			log_error("cannot start %s: %s", a->id.script, strerror(-r));
			step_started(&a->step, r, clock_now());
		}
		return;
	case STEP_WANT_TERM:
		runner_term(a->runner);
		return;
	case STEP_WANT_KILL:
		kill_job(a);
		return;
	case STEP_WANT_COLLECT:
		collect(a);
		return;
	case STEP_WANT_GIVE_UP:
		spool_stop(a->spool);
		return;
	case STEP_WANT_END:
		end(a);
		return;
	case STEP_WANT_WAIT:
		return;
	}
}

static void pump(struct agent *a)
{
	enum step_want want;

	while ((want = step_next(&a->step, clock_now())) != STEP_WANT_WAIT)
		obey(a, want);
	if (a->step.state != a->told_state) {
		a->told_state = a->step.state;
		log_info("state=%s", step_state_to_name(a->told_state));
		(void)sd_notifyf(0, "STATUS=%s: %s", a->id.attempt.job,
		                 step_state_to_name(a->told_state));
	}
	if (step_deadline(&a->step) == USEC_INFINITY) {
		(void)sd_event_source_set_enabled(a->timer, SD_EVENT_OFF);
	} else {
		(void)sd_event_source_set_time(a->timer, step_deadline(&a->step));
		(void)sd_event_source_set_enabled(a->timer, SD_EVENT_ONESHOT);
	}
}

static int on_timer(sd_event_source *source, uint64_t usec, void *userdata)
{
	pump(userdata);
	return 0;
}

static int on_signal(sd_event_source *source, const struct signalfd_siginfo *si, void *userdata)
{
	struct agent *a = userdata;

	log_info("stopping signal=%u", si->ssi_signo);
	step_stop(&a->step, clock_now());
	pump(a);
	return 0;
}

/* ------------------------------------------------------------------------- life */

/* $TMP and $RESULT_ROOT, empty unless the job has been started already. */
static int make_directories(struct agent *a, bool was_started)
{
	char result[PATH_MAX + 16];
	int r;

	(void)snprintf(a->tmp, sizeof(a->tmp), "%s/tmp/lkp", a->options->root);
	if (!was_started) {
		r = job_env_remove_tree(a->tmp);
		if (r < 0)
			return r;
	}
	(void)snprintf(result, sizeof(result), "%s/result", a->tmp);
	r = file_make_path(result, 0755);
	if (r < 0)
		return r;
	a->result_fd = open(result, O_DIRECTORY | O_CLOEXEC);
	return a->result_fd < 0 ? -errno : 0;
}

static int add_signals(struct agent *a)
{
	sigset_t set;
	int r;

	(void)sigemptyset(&set);
	(void)sigaddset(&set, SIGCHLD);
	(void)sigaddset(&set, SIGTERM);
	(void)sigaddset(&set, SIGINT);
	if (sigprocmask(SIG_BLOCK, &set, NULL) < 0)
		return -errno;
	(void)signal(SIGPIPE, SIG_IGN);
	r = sd_event_add_signal(a->event, NULL, SIGTERM, on_signal, a);
	return r < 0 ? r : sd_event_add_signal(a->event, NULL, SIGINT, on_signal, a);
}

/* Everything that needs the event loop. */
static int prepare(struct agent *a, uint64_t seed)
{
	static const struct runner_events runner_events = { on_started, on_exited, on_emptied };
	struct spool_options files;
	int r;

	r = sd_event_default(&a->event);
	if (r < 0)
		return r;
	r = add_signals(a);
	if (r < 0)
		return r;
	(void)sd_event_set_watchdog(a->event, 1);
	r = sd_event_add_time(a->event, &a->timer, CLOCK_BOOTTIME, 0, 1, on_timer, a);
	if (r < 0)
		return r;
	r = runner_new(a->event, a->options->box, &runner_events, a, &a->runner);
	if (r < 0)
		return r;
	r = client_new(a->event, a->id.attempt.token, &a->client);
	if (r < 0)
		return r;
	r = control_new(a->client, &a->id, on_answer, a, &a->control);
	if (r < 0)
		return r;
	r = output_new(a->event, a->result_fd, "output", OUTPUT_HEAD_MAX, OUTPUT_TAIL_MAX,
	               on_log_grew, a, &a->output);
	if (r < 0)
		return r;
	files = (struct spool_options){
		.upload = a->id.attempt.upload,
		.log_name = "output",
		.log_fd = output_fd(a->output),
		.seed = seed,
		.events = { on_progressed, on_uploaded, on_fenced },
		.userdata = a,
	};
	return spool_new(a->event, a->client, &files, &a->spool);
}

static void agent_deinit(struct agent *a)
{
	control_free(a->control);
	spool_free(a->spool);
	output_free(a->output);
	client_free(a->client);
	runner_free(a->runner);
	sd_event_source_disable_unref(a->timer);
	sd_event_source_disable_unref(a->force_timer);
	sd_event_unref(a->event);
	fd_close(&a->result_fd);
}

/*
 * A boot that was made for a job and has none would idle until the server gives it up: it says so
 * and asks for its job again, by a reboot.
 */
static void end_lost_boot(const struct agent *a, const char *why)
{
	log_error("no job to run: %s; the machine reboots", why);
	if (a->options->no_reboot)
		return;
	if (machine_end(STEP_END_REBOOT) < 0)
		(void)machine_end_by_force(STEP_END_REBOOT);
}

/* Whether there is something for us to do: 0, positive when not, or -errno. */
static int find_job(struct agent *a)
{
	const char *root = a->options->root, *why = NULL;
	int r = identity_find(root, &a->id, &why);

	if (r < 0)
		return r;
	if (r == IDENTITY_LOST) {
		end_lost_boot(a, why);
		return 1;
	}
	if (r > 0) {
		log_info("nothing to do: %s", why);
		return 1;
	}
	if (a->id.is_for_lkp) {
		log_info("nothing to do: the job is for lkp's own client");
		return 1;
	}
	r = lock_take(root, a->id.attempt.attempt);
	if (r > 0)
		log_info("nothing to do: lkp's own client has the lock");
	return r;
}

int agent_run(const struct agent_options *options)
{
	struct agent a = { .options = options, .result_fd = -1, .told_state = _STEP_STATE_MAX };
	uint64_t seed = 0;
	bool was_started;
	int r;

	r = find_job(&a);
	if (r > 0)
		(void)sd_notify(
			0, "READY=1"); /* a service that never was ready would count as failed */
	if (r != 0)
		return MIN(r, 0);
	was_started = lock_was_started(options->root, a.id.attempt.attempt);
	r = make_directories(&a, was_started);
	if (r == 0)
		r = random_bytes(&seed, sizeof(seed));
	if (r == 0)
		r = prepare(&a, seed);
	if (r >= 0) {
		(void)sd_notify(0, "READY=1");
		log_info("attempt found job=%s attempt=%s server=%s", a.id.attempt.job,
		         a.id.attempt.attempt, a.id.attempt.server);
		step_init(&a.step, seed, was_started, clock_now());
		pump(&a);
		r = sd_event_loop(a.event);
	}
	agent_deinit(&a);
	return MIN(r, 0);
}

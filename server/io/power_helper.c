/* SPDX-License-Identifier: MulanPSL-2.0 */
#include "server/io/power_helper.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "lib/base/log.h"
#include "lib/base/macro.h"
#include "lib/base/text.h"
#include "lib/sys/clock.h"
#include "lib/sys/fd.h"
#include "lib/sys/log_sink.h"
#include "server/io/sandbox.h"
#include "server/io/self.h"

#define OUTPUT_MAX 160 /* what is kept of a command's output: its beginning */

struct run {
	char host[HOST_NAME_MAX_LEN];
	pid_t pid; /* 0: free */
	int output;
	char text[OUTPUT_MAX];
	size_t len;
	usec_t limit, deadline;
	bool is_late;
};

struct helper {
	int main, signals;
	struct run runs[POWER_HELPER_MAX];
};

/* Main ends us, a Ctrl-C goes to both. Not for the commands: they would inherit it. */
static const int ignored[] = { SIGPIPE, SIGINT, SIGTERM, SIGHUP, SIGQUIT };

static void dispose_signals(void (*how)(int))
{
	for (size_t i = 0; i < ARRAY_SIZE(ignored); i++)
		(void)signal(ignored[i], how); /* cannot fail for these numbers */
}

/* ---- one command ---- */

static void split(const struct power_command *command, char *argv[], char *env[])
{
	const char *word = command->words;

	for (unsigned i = 0; i < command->n_argv + command->n_env; i++) {
		char **to = i < command->n_argv ? &argv[i] : &env[i - command->n_argv];

		*to = (char *)word;
		word += strlen(word) + 1;
	}
}

/* In the child: becomes the command. */
static void become(const struct power_command *command, int output, const sigset_t *mask)
{
	char *argv[POWER_WORDS_MAX + 8] = { NULL }, *env[8] = { NULL };
	int null = open("/dev/null", O_RDWR | O_CLOEXEC);

	split(command, argv, env);
	if (null < 0 || setpgid(0, 0) < 0 || prctl(PR_SET_PDEATHSIG, SIGKILL) < 0 ||
	    dup2(null, STDIN_FILENO) < 0 || dup2(output, STDOUT_FILENO) < 0 ||
	    dup2(output, STDERR_FILENO) < 0 || chdir("/") < 0)
		_exit(127);
	dispose_signals(SIG_DFL);
	(void)sigprocmask(SIG_SETMASK, mask, NULL);
	environ = env;
	(void)execvp(argv[0], argv);
	(void)dprintf(STDERR_FILENO, "cannot be run: %s: %s", argv[0],
	              strerror(errno)); /* NOLINT(concurrency-mt-unsafe): one thread */
	_exit(127);
}

static int start(struct run *run, const struct power_order *order)
{
	CLEANUP(fd_closep) int ours = -1;
	CLEANUP(fd_closep) int theirs = -1;
	sigset_t none;
	int pair[2];
	pid_t pid;

	if (pipe2(pair, O_CLOEXEC | O_NONBLOCK) < 0)
		return -errno;
	ours = pair[0];
	theirs = pair[1];
	(void)sigemptyset(&none);
	if (fd_set_blocking(theirs) < 0)
		return -EIO;
	pid = fork();
	if (pid < 0)
		return -errno;
	if (pid == 0)
		become(&order->command, theirs, &none);
	(void)setpgid(pid, pid); /* here too: whoever is first; fails once it has executed */
	*run = (struct run){ .pid = pid,
		             .output = steal_fd(&ours),
		             .limit = order->limit,
		             .deadline = usec_add(clock_now(), order->limit) };
	memcpy(run->host, order->host, sizeof(run->host));
	return 0;
}

/* Takes what there is of its output; true at its end. */
static bool drain(struct run *run)
{
	char room[1024];
	ssize_t n;

	while ((n = read(run->output, room, sizeof(room))) > 0) {
		size_t len = MIN((size_t)n, sizeof(run->text) - 1 - run->len);

		memcpy(run->text + run->len, room, len);
		run->len += len;
	}
	return n == 0 || errno != EAGAIN;
}

/* ---- answers ---- */

static void answer(struct helper *h, const struct power_reply *reply)
{
	/* main has room for one answer to each of its few questions; if it is gone, so are we */
	if (send(h->main, reply, sizeof(*reply), MSG_NOSIGNAL) < 0)
		log_error("a power command's end cannot be told: %s host=%s",
		          strerror(errno), /* NOLINT(concurrency-mt-unsafe): one thread */
		          reply->host);
}

static void describe(const struct run *run, int status, char to[POWER_ERROR_MAX])
{
	struct slice text = text_trim(slice_make(run->text, run->len));
	char said[OUTPUT_MAX + 64];

	(void)text_escape(said, sizeof(said), slice_cut(&text, '\n'));
	if (run->is_late)
		(void)snprintf(to, POWER_ERROR_MAX, "killed after %llu s%s%s",
		               (unsigned long long)(run->limit / USEC_PER_SEC), said[0] ? ": " : "",
		               said);
	else if (WIFSIGNALED(status))
		(void)snprintf(to, POWER_ERROR_MAX, "ended by signal %d", WTERMSIG(status));
	else if (WEXITSTATUS(status) != 0)
		(void)snprintf(to, POWER_ERROR_MAX, "status %d%s%s", WEXITSTATUS(status),
		               said[0] ? ": " : "", said);
}

static void end(struct helper *h, struct run *run, int status)
{
	struct power_reply reply = { .error = "" };

	(void)drain(run);
	(void)kill(-run->pid, SIGKILL); /* what it left in the background; usually nothing */
	describe(run, status, reply.error);
	memcpy(reply.host, run->host, sizeof(reply.host));
	fd_close(&run->output);
	*run = (struct run){ .output = -1 };
	answer(h, &reply);
}

/* ---- the loop ---- */

static void take_order(struct helper *h, const struct power_order *order)
{
	struct power_reply refused = { .error = "too many power commands at once" };
	struct run *run = NULL;
	int r = -EAGAIN;

	for (size_t i = 0; i < ARRAY_SIZE(h->runs) && !run; i++)
		if (h->runs[i].pid == 0)
			run = &h->runs[i];
	if (run)
		r = start(run, order);
	if (r == 0)
		return;
	if (run)
		(void)snprintf(refused.error, sizeof(refused.error), "cannot be started: %s",
		               strerror(-r)); /* NOLINT(concurrency-mt-unsafe): one thread */
	memcpy(refused.host, order->host, sizeof(refused.host));
	answer(h, &refused);
}

/* Returns 1 when main has gone, 0, or -errno. */
static int read_orders(struct helper *h)
{
	struct power_order order;
	ssize_t n;

	while ((n = recv(h->main, &order, sizeof(order), MSG_DONTWAIT)) == (ssize_t)sizeof(order))
		take_order(h, &order);
	if (n == 0 || (n < 0 && errno == ECONNRESET))
		return 1;
	if (n > 0)
		return -EPROTO;
	return errno == EAGAIN ? 0 : -errno;
}

static void reap(struct helper *h)
{
	struct signalfd_siginfo info;

	while (read(h->signals, &info, sizeof(info)) > 0)
		;
	for (size_t i = 0; i < ARRAY_SIZE(h->runs); i++) {
		struct run *run = &h->runs[i];
		int status = 0;

		if (run->pid > 0 && waitpid(run->pid, &status, WNOHANG) == run->pid)
			end(h, run, status);
	}
}

/* Kills who is late. Returns the milliseconds until the next one is; -1: nobody runs. */
static int check_limits(struct helper *h)
{
	usec_t now = clock_now(), next = USEC_INFINITY;

	for (size_t i = 0; i < ARRAY_SIZE(h->runs); i++) {
		struct run *run = &h->runs[i];

		if (run->pid == 0 || run->is_late)
			continue;
		if (run->deadline <= now) {
			run->is_late = true;
			(void)kill(-run->pid, SIGKILL);
		} else {
			next = usec_min(next, run->deadline);
		}
	}
	return next == USEC_INFINITY ? -1 : (int)((next - now) / USEC_PER_MSEC) + 1;
}

static int turn(struct helper *h)
{
	struct pollfd fds[2 + POWER_HELPER_MAX] = {
		{ .fd = h->main, .events = POLLIN },
		{ .fd = h->signals, .events = POLLIN },
	};
	int timeout = check_limits(h);

	for (size_t i = 0; i < POWER_HELPER_MAX; i++)
		fds[2 + i] = (struct pollfd){ .fd = h->runs[i].pid ? h->runs[i].output : -1,
			                      .events = POLLIN };
	if (poll(fds, ARRAY_SIZE(fds), timeout) < 0)
		return errno == EINTR ? 0 : -errno;
	for (size_t i = 0; i < POWER_HELPER_MAX; i++)
		if (fds[2 + i].revents && drain(&h->runs[i]))
			fd_close(&h->runs[i].output); /* it lives on in silence */
	reap(h);
	return read_orders(h);
}

static int init(struct helper *h)
{
	sigset_t child;
	int r;

	*h = (struct helper){ .main = SELF_FD };
	for (size_t i = 0; i < ARRAY_SIZE(h->runs); i++)
		h->runs[i].output = -1;
	dispose_signals(SIG_IGN);
	(void)prctl(PR_SET_NAME, "ccid-power"); /* for ps only */
	if (fcntl(SELF_FD, F_SETFD, FD_CLOEXEC) < 0)
		return -errno;
	(void)sigemptyset(&child);
	(void)sigaddset(&child, SIGCHLD);
	if (sigprocmask(SIG_BLOCK, &child, NULL) < 0)
		return -errno;
	h->signals = signalfd(-1, &child, SFD_CLOEXEC | SFD_NONBLOCK);
	if (h->signals < 0)
		return -errno;
	r = sandbox_enter(SANDBOX_POWER);
	return MIN(r, 0);
}

int power_helper_main(void)
{
	struct helper h;
	int r;

	log_set_sink(log_sink_stderr, LOG_LEVEL_INFO);
	r = init(&h);
	while (r == 0)
		r = turn(&h);
	for (size_t i = 0; i < ARRAY_SIZE(h.runs); i++)
		if (h.runs[i].pid > 0)
			(void)kill(-h.runs[i].pid, SIGKILL);
	return MIN(r, 0);
}

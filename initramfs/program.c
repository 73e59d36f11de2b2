/* SPDX-License-Identifier: MulanPSL-2.0 */
#include "initramfs/program.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <spawn.h>
#include <stdio.h>
#include <sys/wait.h>
#include <unistd.h>

#include "lib/base/macro.h"
#include "lib/base/text.h"
#include "lib/sys/fd.h"

#define OUTPUT_MAX ((size_t)1 << 20)

/* Without a language; lvm neither looks at our fds nor asks udev, which may not know its devices.
 */
static char *const environment[] = {
	(char[]){ "PATH=/usr/sbin:/usr/bin:/sbin:/bin" },
	(char[]){ "LC_ALL=C" },
	(char[]){ "LVM_SUPPRESS_FD_WARNINGS=1" },
	(char[]){ "DM_DISABLE_UDEV=1" },
	NULL,
};

struct pipes {
	int out[2], error[2];
};

static void close_pipes(struct pipes *p)
{
	for (size_t i = 0; i < 2; i++) {
		fd_close(&p->out[i]);
		fd_close(&p->error[i]);
	}
}

/* Starts it with its output in the pipes. Returns 0 or -errno. */
static int start(const char *const argv[], const struct pipes *p, pid_t *ret_pid)
{
	posix_spawn_file_actions_t actions;
	int r = posix_spawn_file_actions_init(&actions);

	if (r != 0)
		return -r;
	r = posix_spawn_file_actions_addopen(&actions, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
	if (r == 0)
		r = posix_spawn_file_actions_adddup2(&actions, p->out[1], STDOUT_FILENO);
	if (r == 0)
		r = posix_spawn_file_actions_adddup2(&actions, p->error[1], STDERR_FILENO);
	if (r == 0)
		r = posix_spawnp(ret_pid, argv[0], &actions, NULL, (char *const *)(uintptr_t)argv,
		                 environment);
	(void)posix_spawn_file_actions_destroy(&actions); /* never fails here */
	return -r;
}

/* Reads what is there. Returns 1, 0 at the end, or -errno. */
static int drain(int fd, struct buffer *to)
{
	char room[4096];
	ssize_t n = read(fd, room, sizeof(room));

	if (n < 0)
		return errno == EINTR ? 1 : -errno;
	if (n > 0 && to)
		buffer_append(to, room, (size_t)n);
	return n > 0;
}

static int drain_both(struct pipes *p, struct buffer *out, struct buffer *error)
{
	int r = 0;

	while (r == 0 && (p->out[0] >= 0 || p->error[0] >= 0)) {
		struct pollfd fds[2] = { { .fd = p->out[0], .events = POLLIN },
			                 { .fd = p->error[0], .events = POLLIN } };

		if (poll(fds, 2, -1) < 0) {
			if (errno == EINTR)
				continue;
			return -errno;
		}
		if (fds[0].revents) {
			r = drain(p->out[0], out);
			if (r == 0)
				fd_close(&p->out[0]);
		}
		if (r >= 0 && fds[1].revents) {
			r = drain(p->error[0], error);
			if (r == 0)
				fd_close(&p->error[0]);
		}
		r = MIN(r, 0);
	}
	return r;
}

/* The last line that says something; warnings come before it. */
static void keep_last_line(struct slice text, char *to)
{
	struct slice last = SLICE_NULL;

	while (text.len > 0) {
		struct slice line = text_trim(slice_cut(&text, '\n'));

		if (line.len > 0)
			last = line;
	}
	(void)text_copy(to, PROGRAM_ERROR_MAX, slice_sub(last, 0, PROGRAM_ERROR_MAX - 1));
}

static int wait_for(pid_t pid)
{
	int status;

	while (waitpid(pid, &status, 0) < 0)
		if (errno != EINTR)
			return -errno;
	return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

int program_run(const char *const argv[], struct buffer *out, char *error)
{
	CLEANUP(close_pipes) struct pipes p = { .out = { -1, -1 }, .error = { -1, -1 } };
	struct buffer said = { .max = OUTPUT_MAX };
	int r, status;
	pid_t pid = -1;

	error[0] = '\0';
	if (pipe2(p.out, O_CLOEXEC) < 0 || pipe2(p.error, O_CLOEXEC) < 0)
		return -errno;
	r = start(argv, &p, &pid);
	if (r < 0)
		return r;
	fd_close(&p.out[1]);
	fd_close(&p.error[1]);
	r = drain_both(&p, out, &said);
	close_pipes(&p); /* so that it does not wait for us after an error */
	status = wait_for(pid);
	keep_last_line(buffer_slice(&said), error);
	buffer_deinit(&said);
	return r < 0 ? r : status;
}

/* SPDX-License-Identifier: MulanPSL-2.0 */
#include "initramfs/journal.h"

#include <errno.h>
#include <fcntl.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include "initramfs/kmsg.h"
#include "initramfs/paths.h"
#include "lib/base/macro.h"
#include "lib/sys/fd.h"
#include "lib/sys/file.h"

#define JOURNALCTL "/usr/bin/journalctl"

/* Starts journalctl with its output in a pipe. Returns the end to read from, or -errno. */
static int start(pid_t *ret_pid)
{
	char program[] = JOURNALCTL, boot[] = "-b", lines[] = "-n400", form[] = "-oshort-monotonic",
	     quiet[] = "-q", pager[] = "--no-pager";
	char *argv[] = { program, boot, lines, form, quiet, pager, NULL }, *envp[] = { NULL };
	CLEANUP(fd_closep) int out = -1;
	CLEANUP(fd_closep) int in = -1;
	posix_spawn_file_actions_t actions;
	int fds[2], r;

	if (pipe2(fds, O_CLOEXEC) < 0)
		return -errno;
	in = fds[0];
	out = fds[1];
	r = posix_spawn_file_actions_init(&actions);
	if (r != 0)
		return -r;
	r = posix_spawn_file_actions_adddup2(&actions, out, STDOUT_FILENO);
	if (r == 0)
		r = posix_spawn(ret_pid, program, &actions, NULL, argv, envp);
	(void)posix_spawn_file_actions_destroy(&actions); /* cannot fail */
	return r != 0 ? -r : steal_fd(&in);
}

static void read_all(int fd, struct buffer *out, size_t max)
{
	char room[4096];
	ssize_t n;

	for (;;) {
		n = read(fd, room, sizeof(room));
		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return;
		buffer_append(out, room, (size_t)n);
		if (out->len > 2 * max)
			buffer_consume(out, out->len - max);
	}
}

/* Without journalctl: the kernel's log, and what the verbs of cci-init have said. */
static int kernel_tail(struct buffer *out, size_t max)
{
	struct buffer said = BUFFER_NULL;
	int r;

	(void)file_read_all(AT_FDCWD, CCI_SAID_FILE, max / 2, &said); /* else the kernel's alone */
	r = kmsg_tail(out, max - said.len);
	buffer_append_slice(out, buffer_slice(&said));
	buffer_deinit(&said);
	return r < 0 ? r : buffer_error(out);
}

int journal_tail(struct buffer *out, size_t max)
{
	CLEANUP(fd_closep) int fd = -1;
	pid_t pid = 0;

	if (access(JOURNALCTL, X_OK) < 0)
		return kernel_tail(out, max);
	fd = start(&pid);
	if (fd < 0)
		return kernel_tail(out, max);
	read_all(fd, out, max);
	while (waitpid(pid, NULL, 0) < 0 && errno == EINTR)
		;
	if (out->len > max)
		buffer_consume(out, out->len - max);
	return out->len > 0 ? buffer_error(out) : kernel_tail(out, max);
}

/* SPDX-License-Identifier: MulanPSL-2.0 */
/*
 * What must not outlive the boot is in /run, which is new in each boot.
 */
#include "agent/lock.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/base/macro.h"
#include "lib/base/text.h"
#include "lib/sys/clock.h"
#include "lib/sys/fd.h"
#include "lib/sys/file.h"

#define STATE_DIR "/run/lkp-bootstrap"
#define LOCK_DIR  "/var/lock"
#define LOCK_NAME "lkp-bootstrap.lock"
#define PID_DIR   "/lkp/run"
#define PID_NAME  "lkp-bootstrap.pid"

/* Makes a directory below root and opens it. Returns an fd or -errno. */
static int open_dir(const char *root, const char *path)
{
	char full[PATH_MAX];
	int n = snprintf(full, sizeof(full), "%s%s", root, path), r, fd;

	if (n < 0 || (size_t)n >= sizeof(full))
		return -ENAMETOOLONG;
	r = file_make_path(full, 0755);
	if (r < 0)
		return r;
	fd = open(full, O_DIRECTORY | O_CLOEXEC);
	return fd < 0 ? -errno : fd;
}

/* Whether the file holds exactly that text (and perhaps a newline). */
static bool file_says(int dir_fd, const char *name, const char *text)
{
	struct buffer content = BUFFER_NULL;
	bool says = file_read_all(dir_fd, name, 4096, &content) == 0 &&
	            text_equal(text_trim(buffer_slice(&content)), text);

	buffer_deinit(&content);
	return says;
}

static int write_line(int dir_fd, const char *name, const char *text)
{
	CLEANUP(freep) char *line = text_format("%s\n", text);

	if (!line)
		return -ENOMEM;
	return file_write_durably(dir_fd, name, slice_from_text(line), 0644);
}

/* Whether lkp's client, whose lock this is, can be at work: its process lives, or the lock is of
 * this boot. */
static bool is_lkps(int lock_fd, int pid_fd)
{
	struct buffer content = BUFFER_NULL;
	struct stat st;
	uint64_t pid = 0;
	usec_t booted = usec_sub(clock_wall(), clock_now());
	bool is_alive;

	if (file_read_all(pid_fd, PID_NAME, 4096, &content) == 0)
		(void)text_parse_u64(text_trim(buffer_slice(&content)), INT_MAX, &pid);
	buffer_deinit(&content);
	is_alive = pid > 0 && (kill((pid_t)pid, 0) == 0 || errno == EPERM);
	if (is_alive)
		return true;
	return fstatat(lock_fd, LOCK_NAME, &st, 0) == 0 &&
	       (usec_t)st.st_mtim.tv_sec * USEC_PER_SEC >= booted;
}

int lock_take(const char *root, const char *attempt)
{
	CLEANUP(fd_closep) int state_fd = open_dir(root, STATE_DIR);
	CLEANUP(fd_closep) int lock_fd = open_dir(root, LOCK_DIR);
	CLEANUP(fd_closep) int pid_fd = open_dir(root, PID_DIR);
	char pid[24];
	int r;

	if (state_fd < 0)
		return state_fd;
	if (lock_fd < 0)
		return lock_fd;
	if (pid_fd < 0)
		return pid_fd;
	if (mkdirat(lock_fd, LOCK_NAME, 0755) < 0) {
		if (errno != EEXIST)
			return -errno;
		if (!file_says(state_fd, "attempt", attempt) && is_lkps(lock_fd, pid_fd))
			return LOCK_TAKEN;
	}
	r = write_line(state_fd, "attempt", attempt);
	if (r < 0)
		return r;
	(void)snprintf(pid, sizeof(pid), "%d", (int)getpid());
	return write_line(pid_fd, PID_NAME, pid);
}

bool lock_was_started(const char *root, const char *attempt)
{
	CLEANUP(fd_closep) int fd = open_dir(root, STATE_DIR);

	return fd >= 0 && file_says(fd, "started", attempt);
}

int lock_set_started(const char *root, const char *attempt)
{
	CLEANUP(fd_closep) int fd = open_dir(root, STATE_DIR);

	return fd < 0 ? fd : write_line(fd, "started", attempt);
}

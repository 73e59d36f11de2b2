/* SPDX-License-Identifier: MulanPSL-2.0 */
#include "lib/sys/log_sink.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/base/macro.h"
#include "lib/sys/fd.h"

/* One write(2) a line, so that lines of several processes never mix. */
static void write_line(int fd, const char *prefix, const char *line)
{
	char out[2200];
	int n = snprintf(out, sizeof(out), "%s%s\n", prefix, line);

	if (n < 0)
		return;
	(void)fd_write_all(fd, out, MIN((size_t)n, sizeof(out) - 1)); /* a log has nobody to tell */
}

void log_sink_stderr(enum log_level level, const char *line)
{
	char prefix[8] = "";

	if (getenv("JOURNAL_STREAM")) /* NOLINT(concurrency-mt-unsafe): one thread */
		(void)snprintf(prefix, sizeof(prefix), "<%d>", (int)level);
	write_line(2, prefix, line);
}

void log_sink_kmsg(enum log_level level, const char *line)
{
	CLEANUP(fd_closep) int fd = open("/dev/kmsg", O_WRONLY | O_CLOEXEC | O_NOCTTY);
	char prefix[64];

	if (fd < 0)
		return;
	(void)snprintf(prefix, sizeof(prefix), "<%d>%s: ", (int)level,
	               program_invocation_short_name);
	write_line(fd, prefix, line);
}

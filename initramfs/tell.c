/* SPDX-License-Identifier: MulanPSL-2.0 */
#include "initramfs/tell.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <unistd.h>

#include "initramfs/paths.h"
#include "lib/base/bytes.h"
#include "lib/sys/clock.h"
#include "lib/sys/fd.h"

#define LINE_MAX_BYTES 1024 /* a console line that nobody reads to its end */
#define SAID_MAX       (16 << 10)

static const char *step_now = "init";
static bool is_debug;

void tell_begin(const char *step, bool debug)
{
	step_now = step;
	is_debug = debug;
}

/* Kept for a report, whose image may have nothing that reads the journal. */
static void keep_line(struct slice line)
{
	CLEANUP(fd_closep) int fd = -1;
	uint8_t room[LINE_MAX_BYTES + 96];
	struct bytes out = BYTES_ON(room);
	usec_t now = clock_now();

	fd = open(CCI_SAID_FILE, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0644);
	if (fd < 0 || lseek(fd, 0, SEEK_END) > SAID_MAX)
		return;
	bytes_printf(&out, "[%5" PRIu64 ".%06" PRIu64 "] ", now / USEC_PER_SEC, now % USEC_PER_SEC);
	bytes_append(&out, line.data, line.len);
	(void)fd_write_all(fd, out.data, out.len); /* it has been said anyway */
}

/* A line in one write, so that two services do not mix theirs; control characters become '?'. */
static void put_line(const char *text)
{
	uint8_t room[LINE_MAX_BYTES + 64];
	struct bytes line = BYTES_ON(room);

	bytes_printf(&line, "cci: %s: %s", step_now, text);
	for (size_t i = 0; i < line.len; i++)
		if (room[i] < 0x20 || room[i] == 0x7f)
			room[i] = '?';
	bytes_append_text(&line, "\n");
	(void)fd_write_all(STDERR_FILENO, line.data, line.len); /* nowhere else to say it */
	keep_line(bytes_slice(&line));
}

void tell(const char *format, ...)
{
	char text[LINE_MAX_BYTES];
	va_list args;

	va_start(args, format);
	(void)vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	put_line(text);
}

void tell_debug(const char *format, ...)
{
	char text[LINE_MAX_BYTES];
	va_list args;

	if (!is_debug)
		return;
	va_start(args, format);
	(void)vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	put_line(text);
}

/* Only the first failure is kept: what comes after it follows from it. */
static void remember(const char *cause, const char *text)
{
	CLEANUP(fd_closep) int fd = -1;
	uint8_t room[LINE_MAX_BYTES + 128];
	struct bytes out = BYTES_ON(room);
	size_t begin;

	fd = open(CCI_STATE_FILE, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0644);
	if (fd < 0)
		return;
	bytes_printf(&out, "stage=initramfs\nstep=%s\ncause=%s\ndetail=", step_now, cause);
	begin = out.len;
	bytes_append_text(&out, text);
	for (size_t i = begin; i < out.len; i++)
		if (room[i] == '\n')
			room[i] = ' ';
	bytes_append_text(&out, "\n");
	(void)fd_write_all(fd, out.data, out.len); /* the line above has been said anyway */
}

int tell_failure(const char *cause, const char *format, ...)
{
	char text[LINE_MAX_BYTES];
	va_list args;

	va_start(args, format);
	(void)vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	put_line(text);
	remember(cause, text);
	return -ECANCELED;
}

void tell_stage(const char *stage)
{
	CLEANUP(fd_closep) int fd = -1;
	char line[96];
	int len;

	fd = open(CCI_STAGES_FILE, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0644);
	if (fd < 0)
		return;
	len = snprintf(line, sizeof(line), "%s %" PRIu64 "\n", stage,
	               (uint64_t)(clock_now() / USEC_PER_MSEC));
	(void)fd_write_all(fd, line, (size_t)len); /* a stage that is not told is no failure */
}

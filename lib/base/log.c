/* SPDX-License-Identifier: MulanPSL-2.0 */
/*
 * The one place with changing static state: where log lines go.
 */
#include "lib/base/log.h"

#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>

static log_sink_fn current_sink;
static enum log_level current_max = LOG_LEVEL_INFO;

void log_set_sink(log_sink_fn sink, enum log_level max)
{
	current_sink = sink;
	current_max = max;
}

bool log_wants(enum log_level level)
{
	return current_sink != NULL && level <= current_max;
}

void log_write(enum log_level level, const char *format, ...)
{
	char line[2048];
	va_list args;
	int n;

	if (!log_wants(level))
		return;
	va_start(args, format);
	n = vsnprintf(line, sizeof(line), format, args);
	va_end(args);
	if (n >= 0)
		current_sink(level, line);
}

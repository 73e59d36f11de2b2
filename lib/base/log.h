/* SPDX-License-Identifier: MulanPSL-2.0 */
/*
 * One event, one line: a level, plain words and key=value pairs. Where lines go is decided by the
 * sink that main installs (lib/sys/log_sink); without a sink they go nowhere, so tests are silent.
 */
#pragma once

#include <stdbool.h>

enum log_level {                        /* numbers of syslog(3), so that a sink can pass them on */
	         LOG_LEVEL_ERROR = 3,   /* a person must act */
	         LOG_LEVEL_WARNING = 4, /* we coped */
	         LOG_LEVEL_NOTICE = 5,  /* a job or a host changed its state */
	         LOG_LEVEL_INFO = 6,    /* start, stop, configuration */
	         LOG_LEVEL_DEBUG = 7,   /* packets */
};

typedef void (*log_sink_fn)(enum log_level level, const char *line);

/* Installs the sink and the highest level it wants. NULL silences the log. */
void log_set_sink(log_sink_fn sink, enum log_level max);

/* Whether a line of that level would go anywhere: to skip the cost of making it. */
bool log_wants(enum log_level level);

/* Writes one line; cut at 2 KiB. Text of a peer goes through text_escape first. */
void log_write(enum log_level level, const char *format, ...) __attribute__((format(printf, 2, 3)));

#define log_error(...)   log_write(LOG_LEVEL_ERROR, __VA_ARGS__)
#define log_warning(...) log_write(LOG_LEVEL_WARNING, __VA_ARGS__)
#define log_notice(...)  log_write(LOG_LEVEL_NOTICE, __VA_ARGS__)
#define log_info(...)    log_write(LOG_LEVEL_INFO, __VA_ARGS__)
#define log_debug(...)                                                                             \
	do {                                                                                       \
		if (log_wants(LOG_LEVEL_DEBUG))                                                    \
			log_write(LOG_LEVEL_DEBUG, __VA_ARGS__);                                   \
	} while (0)

/* SPDX-License-Identifier: MulanPSL-2.0 */
/*
 * Where lines of lib/base/log go in a real program.
 */
#pragma once

#include "lib/base/log.h"

/*
 * To stderr, with the <N> priority that journald reads when stderr is its stream (JOURNAL_STREAM is
 * set), plain otherwise.
 */
void log_sink_stderr(enum log_level level, const char *line);

/* To the kernel's log, with the program's name: for early boot. */
void log_sink_kmsg(enum log_level level, const char *line);

/* SPDX-License-Identifier: MulanPSL-2.0 */
/*
 * lkp/scheduled/attempt, which arrives in job.cgz: what a booted machine must know to speak with
 * the server. The initramfs and the agent read it.
 */
#pragma once

#include "lib/base/buffer.h"
#include "lib/base/bytes.h"

enum { ATTEMPT_FILE_BAD = 1 };

#define ATTEMPT_VALUE_MAX 512

/* Lines `key=value`. All but server, attempt and token may be empty. */
struct attempt_file {
	char server[ATTEMPT_VALUE_MAX];  /* http://S:3000, no slash at the end */
	char job[ATTEMPT_VALUE_MAX];     /* lab1.3 */
	char attempt[ATTEMPT_VALUE_MAX]; /* decimal id */
	char token[ATTEMPT_VALUE_MAX];
	char host[ATTEMPT_VALUE_MAX];   /* the server's name for this machine */
	char upload[ATTEMPT_VALUE_MAX]; /* http://S:3080/v1/attempts/ID/files/ */
};

/*
 * Parses an attempt file. Empty lines, comments (#) and unknown keys are skipped; an absent
 * `upload` becomes <server>/v1/attempts/<attempt>/files/.
 * Returns 0, or ATTEMPT_FILE_BAD when something needed is missing or a value is too long or
 * unprintable.
 */
int attempt_file_parse(struct slice text, struct attempt_file *ret);

/* Appends the lines of a file. */
void attempt_file_build(struct buffer *out, const struct attempt_file *file);

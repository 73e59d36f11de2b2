/* SPDX-License-Identifier: MulanPSL-2.0 */
/*
 * Tokens of people who use the API from elsewhere than api.open_to: a file with one token a line,
 * and behind it, after a space, whatever helps to remember whose it is. Empty lines and # are
 * skipped.
 */
#pragma once

#include <stdbool.h>

#include "lib/base/bytes.h"
#include "lib/base/macro.h"
#include "server/service/services.h"

#define TOKEN_MIN_LEN 16 /* shorter ones are guessed */
#define TOKEN_MAX_LEN 256

struct tokens;

/*
 * Reads the file. A file that is not there holds no token.
 * Returns 0; SERVICES_REFUSED with error[] = "path:line: ..."; or -errno.
 */
int tokens_read(const char *path, struct tokens **ret, char error[SERVICES_ERROR_MAX]);

void tokens_free(struct tokens *tokens);

DEFINE_FREEP(struct tokens, tokens_free);

/*
 * Whether that is one of them; no token is one of none. tokens may be NULL. How long it takes tells
 * nothing about how much of a wrong one was right.
 */
bool tokens_have(const struct tokens *tokens, struct slice token);

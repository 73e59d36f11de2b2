/* SPDX-License-Identifier: MulanPSL-2.0 */
/*
 * Words as POSIX shell text. Pure.
 */
#pragma once

#include "lib/base/buffer.h"

/*
 * Appends the command that a shell reads back as exactly these words. One word alone is taken as
 * shell text already and stays as it is: `cci run 'uname -a | wc'`.
 */
void shell_quote_command(struct buffer *out, const char *const words[], size_t n_words);

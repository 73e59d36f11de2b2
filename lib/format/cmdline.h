/* SPDX-License-Identifier: MulanPSL-2.0 */
/*
 * The kernel command line as words, read as the kernel itself reads it (next_arg in lib/cmdline.c,
 * Documentation/admin-guide/kernel-parameters.rst): words are separated by white space outside of
 * double quotes; quotes around a whole word or a whole value are taken off.
 */
#pragma once

#include <stdbool.h>

#include "lib/base/bytes.h"

struct cmdline_word {
	struct slice key;
	struct slice value; /* empty when has_value is false */
	bool has_value;     /* there was a '=' */
};

/*
 * Takes the next word off *rest. Returns true with *ret filled (views into the line), or false at
 * the end. Every call shortens *rest.
 */
bool cmdline_next(struct slice *rest, struct cmdline_word *ret);

/*
 * Appends a word, with a space before it unless `out` is empty or ends with one: `key`, or
 * `key=value` when value is not NULL. A value with white space is put in quotes. Returns 0, or
 * CMDLINE_UNQUOTABLE (nothing appended) when no quoting makes the kernel read the same back: a '"',
 * a control character, an empty key, white space or '=' in the key.
 */
enum { CMDLINE_UNQUOTABLE = 1 };
int cmdline_append(struct bytes *out, struct slice key, const struct slice *value);

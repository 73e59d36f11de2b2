/* SPDX-License-Identifier: MulanPSL-2.0 */
/*
 * Names of result files on the server: one component each, whatever stood below $RESULT_ROOT. Pure.
 */
#pragma once

#include "lib/base/bytes.h"

#define RESULT_NAME_MAX 200 /* leaves the server room for `.NAME.part` in 255 bytes */

/*
 * Writes the name under which a file below $RESULT_ROOT is uploaded: `/` becomes `-`; control
 * characters, bytes that are no UTF-8, and a leading `.` (the server's own) become `_`; what is too
 * long is cut. n > 0 appends `.n`, to tell names apart that came out the same.
 */
void result_name_make(char to[RESULT_NAME_MAX + 1], struct slice path, unsigned n);

/* Appends name as a component of a URL: everything but letters, digits and `-._~` as %XX. */
void result_name_encode(struct bytes *to, const char *name);

/* SPDX-License-Identifier: MulanPSL-2.0 */
/*
 * application/x-www-form-urlencoded (URL Standard section 5.2): what a report is sent as, because
 * it needs no library to write. Pure.
 */
#pragma once

#include "lib/base/buffer.h"

/*
 * Appends NAME=VALUE, with '&' before it unless `out` is empty. Letters, digits and *-._ stay,
 * a space becomes '+', any other byte %XX. Failure is seen in `out`.
 */
void form_append(struct buffer *out, const char *name, struct slice value);

/* The same for a number. */
void form_append_u64(struct buffer *out, const char *name, uint64_t value);

/* SPDX-License-Identifier: MulanPSL-2.0 */
/*
 * IPv6 addresses inside brackets: YAML 1.2 (7.3.3) lets a plain text begin with ':' when no space
 * follows, as in [127.0.0.0/8, ::1]; libyaml 0.2 takes such a ':' inside [] and {} for an indicator
 * and refuses. So the address is put into quotes, and the text is read again.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "lib/base/buffer.h"

#define DOCUMENT_COLONS_MAX 16

/* Where quotes were added, to tell the columns of the text as it was written. */
struct document_colons {
	struct {
		size_t line, column; /* from 0, in the text with the quotes before it */
	} at[DOCUMENT_COLONS_MAX];
	size_t n;
};

/*
 * Puts quotes round the IPv6 address that begins with ':' at the character `index` (counted as
 * libyaml does, without continuation bytes), which is (line, column).
 * Returns whether there was one and all went well; else text is as it was, or buffer_error says so.
 */
bool document_colons_quote(struct document_colons *colons, struct buffer *text, size_t index,
                           size_t line, size_t column);

/* The column, from 0, in the text as it was written. */
size_t document_colons_column(const struct document_colons *colons, size_t line, size_t column);

/* SPDX-License-Identifier: MulanPSL-2.0 */
/*
 * Text of others on a terminal: never a control character, measured in columns.
 */
#pragma once

#include "lib/base/buffer.h"

/* SGR colours of ECMA-48, by meaning. STYLE_PLAIN writes nothing. */
enum style { STYLE_PLAIN, STYLE_GOOD, STYLE_BAD, STYLE_WARN, STYLE_DIM, STYLE_HEAD };

/*
 * Appends UTF-8 text with each control character (C0, DEL and the C1 of U+0080..U+009F) as one '?',
 * so that nothing a job or a host is called can move a cursor.
 */
void format_clean(struct buffer *out, const char *text);

/* Columns of cleaned UTF-8 text: one for each code point (wide characters are not known here). */
size_t format_width(const char *text);

/*
 * Appends cleaned text cut to `width` columns; a cut shows as a final '~'. Returns the columns
 * written.
 */
size_t format_cut(struct buffer *out, const char *text, size_t width);

/* Appends n spaces. */
void format_spaces(struct buffer *out, size_t n);

/* Switches a style on and off; nothing when has_colour is false. */
void format_style_begin(struct buffer *out, enum style style, bool has_colour);
void format_style_end(struct buffer *out, enum style style, bool has_colour);

/* SPDX-License-Identifier: MulanPSL-2.0 */
/*
 * Characters and numbers of text, without a locale. Everything here takes slices, so that a parser
 * never needs a NUL.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "lib/base/bytes.h"

static inline char char_lower(char c)
{
	return c >= 'A' && c <= 'Z' ? (char)(c - 'A' + 'a') : c;
}

static inline bool char_is_digit(char c)
{
	return c >= '0' && c <= '9';
}

static inline bool char_is_alpha(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

static inline bool char_is_alnum(char c)
{
	return char_is_digit(c) || char_is_alpha(c);
}

static inline bool char_is_space(char c)
{
	return c == ' ' || (c >= '\t' && c <= '\r');
}

/* Value of a hexadecimal digit, or -1. */
int char_hex_value(char c);

/*
 * Parses an unsigned decimal number that fills s wholly: digits only, no sign, no space.
 * Returns 0 and sets *ret, or TEXT_BAD_NUMBER when it is something else or larger than max.
 */
enum { TEXT_BAD_NUMBER = 1 };
int text_parse_u64(struct slice s, uint64_t max, uint64_t *ret);

/* As text_parse_u64 for hexadecimal digits without 0x. */
int text_parse_hex(struct slice s, uint64_t max, uint64_t *ret);

/* Without the white space at both ends. */
struct slice text_trim(struct slice s);

/*
 * Copies s and a NUL into to[size].
 * Returns 0, or TEXT_TOO_LONG (nothing useful is in `to` then: it is the empty string). A NUL
 * inside s counts as too long as well: the copy would not be the same text.
 */
enum { TEXT_TOO_LONG = 1 };
int text_copy(char *to, size_t size, struct slice s);

/* A malloc'ed NUL-terminated copy, or NULL when memory is short. */
char *text_dup(struct slice s);

/* printf into malloc'ed memory: NULL when memory is short. */
char *text_format(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* Compares a slice with a C string. */
bool text_equal(struct slice s, const char *text);

/*
 * Escapes s for a log line: printable ASCII stays, `"` and `\` get a backslash, everything else is
 * \xHH; cut at the room in `to`, always NUL-terminated. Returns `to`.
 */
const char *text_escape(char *to, size_t size, struct slice s);

/* Writes 2*len lower-case hexadecimal digits and a NUL; `to` must have that room. */
void text_hex(char *to, const void *data, size_t len);

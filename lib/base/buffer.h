/* SPDX-License-Identifier: MulanPSL-2.0 */
/*
 * A growing builder of bytes with a limit: for documents and answers whose length nobody knows
 * before. Packets use struct bytes.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "lib/base/bytes.h"

struct buffer {
	uint8_t *data; /* owned; NUL-terminated whenever it is not NULL */
	size_t len, cap;
	size_t max;  /* never grows past this many bytes; 0 means BUFFER_MAX_DEFAULT */
	bool failed; /* out of memory or past max: the content is not whole */
};

#define BUFFER_NULL        ((struct buffer){ .data = NULL })
#define BUFFER_MAX_DEFAULT ((size_t)64 << 20) /* no document of ours comes near 64 MiB */

/* Frees what the buffer owns and makes it empty again. */
void buffer_deinit(struct buffer *b);

/* Append; after a failure nothing more is appended, so one check of `failed` at the end is enough.
 */
void buffer_append(struct buffer *b, const void *data, size_t len);
void buffer_append_slice(struct buffer *b, struct slice s);
void buffer_append_text(struct buffer *b, const char *text);
void buffer_printf(struct buffer *b, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* Removes the first n bytes (n ≤ len). Cost: O(len - n). */
void buffer_consume(struct buffer *b, size_t n);

/* 0 when everything appended is there, -ENOMEM otherwise. */
int buffer_error(const struct buffer *b);

/* View of the content, valid until the next append, consume or deinit. */
static inline struct slice buffer_slice(const struct buffer *b)
{
	return slice_make(b->data, b->len);
}

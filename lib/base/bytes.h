/* SPDX-License-Identifier: MulanPSL-2.0 */
/*
 * Bytes in and bytes out. `struct slice` is a borrowed view of somebody's bytes; `struct bytes` is
 * a builder over a fixed array which remembers that it overflowed instead of writing past its end.
 * Wire integers are big endian and are read and written only here.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

struct slice {
	const uint8_t *data; /* borrowed; may be NULL only when len is 0 */
	size_t len;
};

#define SLICE_NULL ((struct slice){ .data = NULL, .len = 0 })

/* SLICE_LITERAL("GET"): a view of a string literal without its NUL. */
#define SLICE_LITERAL(s) ((struct slice){ .data = (const uint8_t *)("" s), .len = sizeof(s) - 1 })

static inline struct slice slice_make(const void *data, size_t len)
{
	return (struct slice){ .data = data, .len = len };
}

/* View of a NUL-terminated string, without the NUL. NULL gives the empty slice. */
static inline struct slice slice_from_text(const char *text)
{
	return slice_make(text, text ? strlen(text) : 0);
}

/* Same length and same bytes. Cost: O(len). */
bool slice_equal(struct slice a, struct slice b);

/* As slice_equal, with the letters A-Z taken as a-z. */
bool slice_equal_nocase(struct slice a, struct slice b);

/* Whether s begins with / ends with those bytes. */
bool slice_has_prefix(struct slice s, struct slice prefix);
bool slice_has_suffix(struct slice s, struct slice suffix);

/* The part from offset on, at most len bytes; an offset past the end gives the empty slice. */
struct slice slice_sub(struct slice s, size_t offset, size_t len);

/* Removes and returns the first n bytes of *s; n must not be more than s->len. */
struct slice slice_take(struct slice *s, size_t n);

/*
 * Finds the first byte c in s at or after offset.
 * Returns its index, or s.len when there is none.
 */
size_t slice_find(struct slice s, uint8_t c, size_t offset);

/*
 * Cuts *s at the first separator: returns what stood before it and leaves in *s what stands after
 * it. Without a separator returns all and leaves the empty slice.
 */
struct slice slice_cut(struct slice *s, uint8_t separator);

static inline uint16_t get_be16(const void *p)
{
	const uint8_t *b = p;

	return (uint16_t)((unsigned)b[0] << 8 | b[1]);
}

static inline uint32_t get_be32(const void *p)
{
	const uint8_t *b = p;

	return (uint32_t)b[0] << 24 | (uint32_t)b[1] << 16 | (uint32_t)b[2] << 8 | b[3];
}

static inline void put_be16(void *p, uint16_t v)
{
	uint8_t *b = p;

	b[0] = (uint8_t)(v >> 8);
	b[1] = (uint8_t)v;
}

static inline void put_be32(void *p, uint32_t v)
{
	uint8_t *b = p;

	b[0] = (uint8_t)(v >> 24);
	b[1] = (uint8_t)(v >> 16);
	b[2] = (uint8_t)(v >> 8);
	b[3] = (uint8_t)v;
}

struct bytes {
	uint8_t *data;
	size_t len, cap;
	bool overflow; /* something did not fit; len then counts what did */
};

/* BYTES_ON(array): an empty builder over a local array. */
#define BYTES_ON(array)                                                                            \
	((struct bytes){ .data = (uint8_t *)(array), .len = 0, .cap = sizeof(array) })

/*
 * Append to a builder. What does not fit whole is not written at all and sets overflow; after an
 * overflow nothing more is appended, so one check at the end is enough.
 */
void bytes_append(struct bytes *b, const void *data, size_t len);
void bytes_append_slice(struct bytes *b, struct slice s);
void bytes_append_text(struct bytes *b, const char *text);
void bytes_append_u8(struct bytes *b, uint8_t v);
void bytes_append_be16(struct bytes *b, uint16_t v);
void bytes_append_be32(struct bytes *b, uint32_t v);
void bytes_append_zeros(struct bytes *b, size_t n);
void bytes_printf(struct bytes *b, const char *format, ...) __attribute__((format(printf, 2, 3)));

static inline struct slice bytes_slice(const struct bytes *b)
{
	return slice_make(b->data, b->len);
}

/* SPDX-License-Identifier: MulanPSL-2.0 */
/*
 * Small words of the language: sizes of arrays, owners of members, hand-over of ownership.
 */
#pragma once

#include <assert.h>
#include <stddef.h>
#include <stdlib.h>

#define ARRAY_SIZE(a) (sizeof(a) / sizeof((a)[0]))

#define CONTAINER_OF(ptr, type, member) ((type *)(void *)((char *)(ptr)-offsetof(type, member)))

#define MIN(a, b)                                                                                  \
	({                                                                                         \
		__typeof__(a) _a = (a);                                                            \
		__typeof__(b) _b = (b);                                                            \
		_a < _b ? _a : _b;                                                                 \
	})

#define MAX(a, b)                                                                                  \
	({                                                                                         \
		__typeof__(a) _a = (a);                                                            \
		__typeof__(b) _b = (b);                                                            \
		_a > _b ? _a : _b;                                                                 \
	})

/* CLEANUP(f): the local is handed to f(&local) when it leaves its scope. */
#define CLEANUP(f) __attribute__((cleanup(f)))

/* Checks printf formats of our own functions. */
#define PRINTF_LIKE(fmt, args) __attribute__((format(printf, fmt, args)))

/* steal_ptr(&p): returns p and leaves NULL behind, so that a cleanup of p does nothing. */
#define steal_ptr(p)                                                                               \
	({                                                                                         \
		__typeof__(*(p)) _s = *(p);                                                        \
		*(p) = NULL;                                                                       \
		_s;                                                                                \
	})

/* DEFINE_FREEP(type, function): makes function##p for CLEANUP on a local `type *`. */
#define DEFINE_FREEP(type, function)                                                               \
	static inline void function##p(type **p)                                                   \
	{                                                                                          \
		if (*p)                                                                            \
			function(*p);                                                              \
	}                                                                                          \
	struct _freep_wants_a_semicolon_##function

/* freep: CLEANUP for memory from malloc. */
static inline void freep(void *p)
{
	free(*(void **)p);
}

/* SPDX-License-Identifier: MulanPSL-2.0 */
/*
 * What happens when memory runs out: a program that links this has its malloc, calloc, realloc,
 * strdup and strndup counted, those of the libraries it calls too, and one of them made to fail.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

/* False where the sanitizer's own malloc cannot be found behind ours (clang links it statically).
 */
bool alloc_fail_works(void);

/* From now on the n-th allocation (0: the next) fails, once. */
void alloc_fail_arm(size_t n);

/* No allocation fails any more. Returns whether one did since alloc_fail_arm. */
bool alloc_fail_disarm(void);

/*
 * Calls body(arg) again and again, each time with another allocation failing, until one runs
 * through without a failure. A body that met a failure must return -ENOMEM; the last one must
 * return 0 or more. Returns the number of failures, which is never 0: a body that allocates nothing
 * proves nothing. Leaks are the address sanitizer's to find.
 */
size_t alloc_fail_each(int (*body)(const void *arg), const void *arg);

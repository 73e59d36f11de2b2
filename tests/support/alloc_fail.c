/* SPDX-License-Identifier: MulanPSL-2.0 */
#include "tests/support/alloc_fail.h"

#include "tests/support/test.h"

#include <dlfcn.h>
#include <execinfo.h>
#include <malloc.h>
#include <stdlib.h>
#include <unistd.h>

#include "lib/base/macro.h"

#define EXPORT __attribute__((visibility("default")))

/* Far above what any parser of ours allocates for the inputs of a test. */
#define FAILURES_MAX 100000

static struct {
	bool is_armed, has_failed;
	size_t countdown;
	void *where[16]; /* who asked for what was refused */
	int n_where;
} state;

static void *(*next_malloc)(size_t);
static void *(*next_calloc)(size_t, size_t);
static void *(*next_realloc)(void *, size_t);
static void (*next_free)(void *);

/* dlsym itself may allocate, before the functions behind ours are known. */
static char early[4096] __attribute__((aligned(16)));
static size_t early_len;

static bool is_early(const void *p)
{
	return (const char *)p >= early && (const char *)p < early + sizeof(early);
}

static void *early_alloc(size_t size)
{
	void *p = early + early_len;

	size = (size + 15) & ~(size_t)15;
	assert(size <= sizeof(early) - early_len);
	early_len += size;
	return p;
}

static void find_next(void)
{
	static bool is_searching;

	if (is_searching || next_free)
		return;
	is_searching = true;
	next_malloc = (void *(*)(size_t))dlsym(RTLD_NEXT, "malloc");
	next_calloc = (void *(*)(size_t, size_t))dlsym(RTLD_NEXT, "calloc");
	next_realloc = (void *(*)(void *, size_t))dlsym(RTLD_NEXT, "realloc");
	next_free = (void (*)(void *))dlsym(RTLD_NEXT, "free");
}

static bool must_fail(void)
{
	if (!state.is_armed || state.has_failed || state.countdown-- > 0)
		return false;
	state.has_failed = true;
	state.n_where = backtrace(state.where, (int)ARRAY_SIZE(state.where));
	errno = ENOMEM;
	return true;
}

EXPORT void *malloc(size_t size)
{
	find_next();
	if (!next_free)
		return early_alloc(size);
	return must_fail() ? NULL : next_malloc(size);
}

EXPORT void *calloc(size_t n, size_t size)
{
	find_next();
	if (!next_free)
		return early_alloc(n * size);
	return must_fail() ? NULL : next_calloc(n, size);
}

EXPORT void *realloc(void *p, size_t size)
{
	find_next();
	if (!next_free || is_early(p))
		return early_alloc(size);
	if (p && size <= malloc_usable_size(p))
		return next_realloc(
			p, size); /* giving back fails nowhere, and vasprintf relies on it */
	return must_fail() ? NULL : next_realloc(p, size);
}

EXPORT void free(void *p)
{
	find_next();
	if (next_free && !is_early(p))
		next_free(p);
}

EXPORT char *strndup(const char *text, size_t n)
{
	size_t len = strnlen(text, n);
	char *copy = malloc(len + 1);

	if (!copy)
		return NULL;
	memcpy(copy, text, len);
	copy[len] = '\0';
	return copy;
}

EXPORT char *strdup(const char *text)
{
	return strndup(text, PTRDIFF_MAX);
}

bool alloc_fail_works(void)
{
#if defined(__clang__) && defined(__has_feature)
#if __has_feature(address_sanitizer)
	return false;
#endif
#endif
	return true;
}

void alloc_fail_arm(size_t n)
{
	state.n_where = backtrace(state.where, 1); /* loads what it needs before anything fails */
	state.countdown = n;
	state.has_failed = false;
	state.is_armed = true;
}

bool alloc_fail_disarm(void)
{
	state.is_armed = false;
	return state.has_failed;
}

size_t alloc_fail_each(int (*body)(const void *arg), const void *arg)
{
	if (!alloc_fail_works())
		skip();
	for (size_t n = 0; n < FAILURES_MAX; n++) {
		bool has_failed;
		int r;

		alloc_fail_arm(n);
		r = body(arg);
		has_failed = alloc_fail_disarm();
		if (!has_failed) {
			assert_true(r >= 0);
			assert_true(n > 0);
			return n;
		}
		if (r == -ENOMEM)
			continue;
		backtrace_symbols_fd(state.where, state.n_where, STDERR_FILENO);
		fail_msg("allocation %zu failed, and the answer was %d", n, r);
	}
	fail_msg("still failing at allocation %d", FAILURES_MAX);
	return 0;
}

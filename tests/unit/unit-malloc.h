/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Allocations that fail on demand, for tests that are linked with --wrap (Makefile: FAILING). */
#ifndef OFFLOADD_TESTS_UNIT_MALLOC_H
#define OFFLOADD_TESTS_UNIT_MALLOC_H

#include <errno.h>
#include <stdbool.h>
#include <stddef.h>

static long unit_malloc_left = -1; /* allocations before the one that fails; -1: none fails */
static bool unit_malloc_failed;

static bool unit_malloc_fails(void)
{
	if (unit_malloc_left < 0 || unit_malloc_left-- > 0)
		return false;
	unit_malloc_failed = true;
	errno = ENOMEM;
	return true;
}

#define UNIT_WRAP(name, parameters, ...)                                                            \
	void *__real_##name parameters;                                                             \
	void *__wrap_##name parameters;                                                             \
	void *__wrap_##name parameters                                                              \
	{                                                                                           \
		return unit_malloc_fails() ? NULL : __real_##name(__VA_ARGS__);                     \
	}
UNIT_WRAP(malloc, (size_t size), size)
UNIT_WRAP(calloc, (size_t n, size_t size), n, size)
UNIT_WRAP(realloc, (void *old, size_t size), old, size)
UNIT_WRAP(reallocarray, (void *old, size_t n, size_t size), old, n, size)
UNIT_WRAP(strdup, (const char *text), text)

/* Lets allocation n (from 0) fail, until unit_malloc_well(). */
static inline void unit_malloc_fail(long n)
{
	unit_malloc_left = n;
	unit_malloc_failed = false;
}

/* Ends that. Did one fail? */
static inline bool unit_malloc_well(void)
{
	unit_malloc_left = -1;
	return unit_malloc_failed;
}

/* Runs what(), with each of its allocations failing in turn; it must return -ENOMEM if one failed, else 0. */
static inline void unit_starve(int (*what)(void))
{
	for (long n = 0;; n++) {
		int r;

		unit_malloc_fail(n);
		r = what();
		if (!unit_malloc_well()) {
			assert_int_equal(r, 0);
			assert_true(n > 0);
			return;
		}
		assert_int_equal(r, -ENOMEM);
	}
}

#endif

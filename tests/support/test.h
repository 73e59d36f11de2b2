/* SPDX-License-Identifier: MulanPSL-2.0 */
/*
 * What every unit test includes first: cmocka with the headers it forgets to include, and macros
 * that do not clash with ours.
 */
#pragma once

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#define assert_slice_equal(actual, text)                                                           \
	do {                                                                                       \
		struct slice _actual = (actual);                                                   \
		assert_int_equal(_actual.len, strlen(text));                                       \
		assert_memory_equal(_actual.len ? (const void *)_actual.data : "", text,           \
		                    _actual.len);                                                  \
	} while (0)

/* SPDX-License-Identifier: MulanPSL-2.0 */
/*
 * Names of enum values, both ways, from one array indexed by the value. A hole (NULL) has no name.
 */
#pragma once

#include <stddef.h>

#include "lib/base/bytes.h"

/* The name of value, or NULL when it has none. */
const char *table_name(const char *const names[], size_t n_names, int value);

/* The value of that name (exact, or with nocase A-Z taken as a-z), or -1 when there is none. */
int table_value(const char *const names[], size_t n_names, struct slice name);
int table_value_nocase(const char *const names[], size_t n_names, struct slice name);

/*
 * DEFINE_NAME_TABLE(scope, names): makes scope_to_name(value) ("?" when it has none) and
 * scope_from_name(slice) (-1 when unknown) over the array `names`.
 */
#define DEFINE_NAME_TABLE(scope, names)                                                            \
	const char *scope##_to_name(int value)                                                     \
	{                                                                                          \
		const char *name = table_name(names, ARRAY_SIZE(names), value);                    \
		return name ? name : "?";                                                          \
	}                                                                                          \
	int scope##_from_name(struct slice name)                                                   \
	{                                                                                          \
		return table_value(names, ARRAY_SIZE(names), name);                                \
	}                                                                                          \
	struct _name_table_wants_a_semicolon_##scope

/* SPDX-License-Identifier: MulanPSL-2.0 */
/*
 * Look-up in name tables; they are short, a linear search is the fastest there is.
 */
#include "lib/base/table.h"

const char *table_name(const char *const names[], size_t n_names, int value)
{
	if (value < 0 || (size_t)value >= n_names)
		return NULL;
	return names[value];
}

int table_value(const char *const names[], size_t n_names, struct slice name)
{
	for (size_t i = 0; i < n_names; i++)
		if (names[i] && slice_equal(slice_from_text(names[i]), name))
			return (int)i;
	return -1;
}

int table_value_nocase(const char *const names[], size_t n_names, struct slice name)
{
	for (size_t i = 0; i < n_names; i++)
		if (names[i] && slice_equal_nocase(slice_from_text(names[i]), name))
			return (int)i;
	return -1;
}

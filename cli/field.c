/* SPDX-License-Identifier: MulanPSL-2.0 */
#include "cli/field.h"

/* What a double counts without a gap; no time and no size of ours comes near. */
#define REAL_MAX 9e15

const char *field_text(const json_t *object, const char *key)
{
	const char *text = json_string_value(json_object_get(object, key));

	return text ? text : "";
}

int64_t field_integer(const json_t *object, const char *key, int64_t otherwise)
{
	const json_t *value = json_object_get(object, key);

	if (json_is_integer(value))
		return json_integer_value(value);
	if (json_is_real(value) && json_real_value(value) > -REAL_MAX &&
	    json_real_value(value) < REAL_MAX)
		return (int64_t)json_real_value(value);
	return otherwise;
}

double field_real(const json_t *object, const char *key, double otherwise)
{
	const json_t *value = json_object_get(object, key);
	double number = json_number_value(value);

	return json_is_number(value) && number > -REAL_MAX && number < REAL_MAX ? number
	                                                                        : otherwise;
}

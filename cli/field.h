/* SPDX-License-Identifier: MulanPSL-2.0 */
/*
 * Fields of the server's JSON as plain values: a field that is absent, null or of another type
 * reads as the neutral value, so that a newer or older server never breaks a table.
 */
#pragma once

#include <jansson.h>
#include <stdint.h>

/* The text of object[key], or "" when there is none. Borrowed from the object. */
const char *field_text(const json_t *object, const char *key);

/* The integer of object[key] (a real number is cut), or `otherwise`. */
int64_t field_integer(const json_t *object, const char *key, int64_t otherwise);

/* The number of object[key], or `otherwise`; so for one too large to be counted exactly. */
double field_real(const json_t *object, const char *key, double otherwise);

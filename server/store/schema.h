/* SPDX-License-Identifier: MulanPSL-2.0 */
/*
 * The schema as a list of migrations; entry n leads from PRAGMA user_version n to n+1. One that has
 * been released is never edited.
 */
#pragma once

#include <stddef.h>

extern const char *const schema_migrations[];
extern const size_t schema_n_migrations;

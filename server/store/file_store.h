/* SPDX-License-Identifier: MulanPSL-2.0 */
/*
 * Result files that have arrived whole.
 */
#pragma once

#include "server/store/db.h"

#define FILE_NAME_MAX_LEN 256

struct stored_file {
	char name[FILE_NAME_MAX_LEN]; /* relative to the result root */
	int64_t size;
	char sha256[65];
};

enum { FILE_STORE_ABSENT = 1 };

/* Records a file, in place of an earlier one of that name. Returns 0 or -errno. */
int file_store_put(struct db *db, int64_t attempt, const struct stored_file *file, uint64_t wall);

/* 0, FILE_STORE_ABSENT, or -errno. */
int file_store_find(struct db *db, int64_t attempt, const char *name, struct stored_file *ret);

/* Files of an attempt behind the name `after`, by name. Returns how many (≤ max), or -errno. */
int file_store_list(struct db *db, int64_t attempt, const char *after, struct stored_file *files,
                    int max);

/* SPDX-License-Identifier: MulanPSL-2.0 */
/*
 * What a power cut may leave of a directory tree, watched through the system calls of the code
 * under test (linked with --wrap): which bytes and which names were synced.
 *
 * Of what was not synced any part may be on the disk. Two extremes bound all of it: every name came
 * and no byte did (so a name must never show an unsynced file), and nothing came at all (so what
 * was acknowledged must be there without it).
 */
#pragma once

#include <stdbool.h>

/* Begins anew. root_fd: a directory that is on the disk. */
void disk_model_begin(int root_fd);

/* From now on syncs do nothing: a defect that must be found. */
enum disk_fault {
	DISK_SOUND,
	DISK_NO_FSYNC,     /* of files */
	DISK_NO_DIR_FSYNC, /* of any directory */
	DISK_NO_UP_FSYNC,  /* of directories but the one that holds the file */
};
void disk_model_set_fault(enum disk_fault fault, const char *leaf);

/* Called after each step that changes anything; NULL: nobody. */
void disk_model_watch(void (*on_step)(void));

/* Were the power cut now: is path, below the root, there for certain, and whole? */
bool disk_model_is_durable(const char *path);

/* Were it cut now: could path be there and not be whole? */
bool disk_model_may_be_torn(const char *path);

/* System calls seen that changed something. */
unsigned disk_model_n_steps(void);

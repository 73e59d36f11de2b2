/* SPDX-License-Identifier: MulanPSL-2.0 */
/*
 * One file on its way in: written under a temporary name, hashed, made durable, then renamed. A
 * resumable one lives as `.NAME.part` until it is whole and goes on where it was cut; only one
 * process writes it at a time (flock). Any other has a temporary name of its own, `.NAME.TAG.new`,
 * which goes with it; if its process is killed, upload_file_sweep removes it.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "lib/base/bytes.h"

struct upload_file;

#define UPLOAD_FILE_SHA256_MAX 65 /* hexadecimal digits and a NUL */

/*
 * Removes from the directory what killed processes have left of files that cannot be gone on with.
 * Resumable parts stay, and so does what somebody is writing. Best effort: what stays wastes room,
 * no more. Cost: O(entries).
 */
void upload_file_sweep(int dir_fd);

/*
 * Opens the temporary file of dir_fd/name, one component.
 * One that is not resumable sweeps the directory first. expected: bytes the whole file may come to,
 * to reserve the room (0: not known). Returns 0; UPLOAD_FILE_BUSY when somebody else is writing it;
 * or -errno (-ENOSPC: no room).
 */
enum { UPLOAD_FILE_BUSY = 1 };
int upload_file_open(int dir_fd, const char *name, bool is_resumable, int64_t expected,
                     struct upload_file **ret);

/*
 * Takes the final name from a file and makes it a resumable part again, whole as it is, to be
 * finished once more. Returns 0 or -errno.
 */
int upload_file_reopen(int dir_fd, const char *name);

/* Closes it. What is not finished stays, if it is resumable, and is removed if not. */
struct upload_file *upload_file_free(struct upload_file *file);

/* Bytes stored so far: where the next ones go. */
int64_t upload_file_size(const struct upload_file *file);

/* Appends. Returns 0 or -errno; what was written by then stays and counts. */
int upload_file_write(struct upload_file *file, struct slice data);

/* What was written is on the disk (fdatasync; its name has been since it was opened empty). Returns
 * 0 or -errno. */
int upload_file_sync(struct upload_file *file);

/*
 * One step towards the final name; call it until it does not return UPLOAD_FILE_MORE. It hashes
 * what was not hashed while it came in (a few MiB a step), syncs, renames, syncs the directory and
 * the path to it.
 * Returns 0 when the file stands durably under its name, or -errno.
 */
enum { UPLOAD_FILE_MORE = 1 };
int upload_file_finish(struct upload_file *file);

/* After upload_file_finish returned 0: SHA-256 in lower-case hexadecimal. */
const char *upload_file_sha256(const struct upload_file *file);

/* What is there of a resumable file. */
struct upload_file_status {
	int64_t size;     /* bytes stored; 0 when there is nothing */
	bool is_complete; /* it stands under its final name and nobody has begun it anew */
};

/* Returns 0 or -errno. */
int upload_file_stat(int dir_fd, const char *name, struct upload_file_status *ret);

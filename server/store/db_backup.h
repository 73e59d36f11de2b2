/* SPDX-License-Identifier: MulanPSL-2.0 */
/*
 * A consistent copy of the store, taken while the daemon goes on writing.
 */
#pragma once

/*
 * Copies the database at `from` into the new file `to`: page by page with SQLite's backup interface
 * into a temporary name beside it, synced, then renamed. An existing `to` is replaced whole.
 * Returns 0, or -errno: -ENOENT when there is no database, -EBUSY when writers left no gap for 30
 * s.
 */
int db_backup(const char *from, const char *to);

/*
 * The file that the last backup of the database at `path` was written to, if it is still there;
 * malloc'ed, or NULL.
 */
char *db_backup_last(const char *path);

/* SPDX-License-Identifier: MulanPSL-2.0 */
/*
 * A SQLite VFS over the system's own that knows what was synced. When the power is cut, each file
 * gets what it had at its last xSync and, of what was written since, any sectors at all: a write
 * may come late, in part, or never (sqlite.org/atomiccommit.html, 3.0; sectors of 512 bytes are
 * whole). From a cut to power_vfs_restore every write and sync fails, as in a machine that has
 * gone.
 */
#pragma once

#include <stdbool.h>

#include "lib/base/rng.h"

/* Makes it the default of this process. */
void power_vfs_install(struct rng *rng);

/* The power goes when so many more writes, syncs and deletions were asked for; 0: it stays. */
void power_vfs_cut_after(unsigned n_calls);

/* Or now. */
void power_vfs_cut(void);
bool power_vfs_is_cut(void);

/* After the database was closed: writes what the disks are left with. The power is back. */
void power_vfs_restore(void);

/* All is forgotten; the files themselves stay. */
void power_vfs_forget(void);

/* A disk that only says that it has synced. */
void power_vfs_set_lying(bool is_lying);

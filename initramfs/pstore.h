/* SPDX-License-Identifier: MulanPSL-2.0 */
/*
 * What the kernel of an earlier boot saved when it died (pstore), for a report, and its removal
 * once somebody has it: the room for it is small, and full of old panics it takes no new one.
 */
#pragma once

#include <stddef.h>

#include "lib/base/buffer.h"
#include "lib/base/macro.h"

struct pstore;

/*
 * Reads the dumps below `directory` (pstore(5): CCI_PSTORE_DIR, where systemd mounts it). On a
 * machine with EFI variables their driver is loaded first when nothing else has brought dumps.
 * Returns 0; PSTORE_EMPTY when there is none (*ret is not written); or -errno.
 */
enum { PSTORE_EMPTY = 1 };
int pstore_open(const char *directory, struct pstore **ret);

/* NULL is fine; returns NULL. The dumps stay where they are. */
struct pstore *pstore_free(struct pstore *pstore);

DEFINE_FREEP(struct pstore, pstore_free);

/*
 * Appends the dumps' text (pstore_text.h), of more than `max` bytes the last lines that fit.
 * Returns 0 or -errno.
 */
int pstore_text(struct pstore *pstore, size_t max, struct buffer *out);

/* Removes what was read: the server has it. */
void pstore_forget(struct pstore *pstore);

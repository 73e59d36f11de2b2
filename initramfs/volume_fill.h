/* SPDX-License-Identifier: MulanPSL-2.0 */
/*
 * A volume filled with a system: from the network, from an image, from another volume. Names of
 * files come in one order, and from time to time a mark on the volume says up to which of them
 * everything is on the disk: a power cut costs no more than what came after the mark.
 */
#pragma once

#include "initramfs/plan.h"

#define VOLUME_ERROR_MAX 400

/*
 * Fills `node` from root=: an image of ext4 or xfs block by block, any other root name by name, on
 * a file system of the type that its fstab names for `/` where this image can make it, else ext4.
 * What an earlier boot began is gone on with. Afterwards as many names and bytes are on the volume
 * as in the source, all of it is on the disk, and nothing is mounted. Returns 0, or -ECANCELED with
 * error[VOLUME_ERROR_MAX]; -ECANCELED and an empty error: it has been told already.
 */
int volume_fill(const struct plan *plan, const char *node, char *error);

/* The same from the system on another volume, from the beginning. */
int volume_copy(const char *from, const char *node, char *error);

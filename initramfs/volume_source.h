/* SPDX-License-Identifier: MulanPSL-2.0 */
/*
 * Where a volume is filled from: root=, read-only on /run/cci/source, or an image of a file system
 * that is written to the volume as it is.
 */
#pragma once

#include "initramfs/volume_fill.h"

struct volume_source {
	bool is_image; /* CCI_IMG_FILE, of type; nothing is mounted */
	char type[32];
};

/*
 * Brings the source: fetches or mounts it. Returns 0, or -ECANCELED with error[VOLUME_ERROR_MAX],
 * empty when it has been told.
 */
int volume_source_open(const struct plan *plan, struct volume_source *ret, char *error);

/*
 * Waits until the network is up, or will not be within cci.timeout: only who needs it waits. Who
 * then fails without it says so.
 */
void volume_source_wait_network(const struct plan *plan);

/* Fetches the image of an http root into memory; what fails has been told. 0 or -ECANCELED. */
int volume_source_fetch(const struct plan *plan);

/* Takes it out of sight and out of the memory. */
void volume_source_close(void);

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

/* Called every few milliseconds while an image is fetched to CCI_IMG_FILE. */
typedef void (*volume_source_follow)(void *arg);

/*
 * Brings the source: fetches or mounts it. follow (may be NULL) is called with arg while an image
 * comes. Returns 0, or -ECANCELED with error[VOLUME_ERROR_MAX], empty when it has been told.
 */
int volume_source_open(const struct plan *plan, volume_source_follow follow, void *arg,
                       struct volume_source *ret, char *error);

/* Whether an image of that type is one that is written to a volume as it is. */
bool volume_source_is_whole_image(const char *type);

/*
 * Waits until the network is up, or will not be within cci.timeout: only who needs it waits. Who
 * then fails without it says so.
 */
void volume_source_wait_network(const struct plan *plan);

/* Fetches the image of an http root into memory; what fails has been told. 0 or -ECANCELED. */
int volume_source_fetch(const struct plan *plan, volume_source_follow follow, void *arg);

/* Takes it out of sight and out of the memory. */
void volume_source_close(void);

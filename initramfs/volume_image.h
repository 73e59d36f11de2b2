/* SPDX-License-Identifier: MulanPSL-2.0 */
/*
 * An image of a file system that is written to a volume as it is, while it is fetched to
 * CCI_IMG_FILE.
 */
#pragma once

#include "initramfs/volume_filler.h"

/* arg is a struct filler: puts on the volume what has come, if it is an image of that kind. */
void volume_image_follow(void *arg);

/*
 * The image has come whole, and is of that type: writes the rest, lets the file system grow to the
 * volume's size and tries to mount it. Returns 0 or -ECANCELED with f->error.
 */
int volume_image_fill(struct filler *f, const char *type);

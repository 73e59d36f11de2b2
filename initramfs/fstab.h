/* SPDX-License-Identifier: MulanPSL-2.0 */
/*
 * /etc/fstab of an image (fstab(5)), which was written for another machine: what of it may stay
 * when the image is the lower of an overlay. systemd waits 90 s for each device that does not
 * exist, and already in the initramfs for /usr and x-initrd.mount. Pure.
 */
#pragma once

#include "lib/base/buffer.h"

/*
 * Appends the lines that stay, byte for byte: comments, empty lines, and mounts of what needs no
 * disk of this machine (tmpfs, bind, network, ...). Left out are `/` and `/usr` whatever they are
 * on, swap, x-initrd.mount, and every local block device (/dev/..., UUID=, LABEL=, PARTUUID=,
 * PARTLABEL=, ID=) that is neither `nofail` nor `noauto`. Failure is seen in `out`.
 * Returns how many lines were left out.
 */
unsigned fstab_filter(struct slice text, struct buffer *out);

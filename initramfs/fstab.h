/* SPDX-License-Identifier: MulanPSL-2.0 */
/*
 * /etc/fstab of a new root (fstab(5)), and what of it would stop the boot: systemd waits 90 s for
 * each device that does not exist, and already in the initramfs for /usr and x-initrd.mount. Pure.
 *
 * An image was written for another machine: its lines are filtered. A file system on this machine's
 * own disk knows its machine: its lines stay, and those whose device is missing lose their grip.
 */
#pragma once

#include <stdbool.h>

#include "lib/base/buffer.h"

/*
 * Appends the lines of an image that stay, byte for byte: comments, empty lines, and mounts of what
 * needs no disk of this machine (tmpfs, bind, network, ...). Left out are `/` and `/usr` whatever
 * they are on, swap, x-initrd.mount, and every local block device (/dev/..., UUID=, LABEL=,
 * PARTUUID=, PARTLABEL=, ID=) that is neither `nofail` nor `noauto`. Failure is seen in `out`.
 * Returns how many lines were left out.
 */
unsigned fstab_filter(struct slice text, struct buffer *out);

/* A line with its newline, and its fields; those it does not have are empty. */
struct fstab_line {
	struct slice text;
	struct slice source, target, type, options;
};

/* Takes the next line off *text. False: there is none. */
bool fstab_next(struct slice *text, struct fstab_line *ret);

/*
 * Whether systemd would wait for this line's local block device, be it a mount or swap: it is not
 * the root, which is there, and neither `nofail` nor `noauto`.
 */
bool fstab_line_waits(const struct fstab_line *line);

/* Appends the line with `nofail` and a short x-systemd.device-timeout= among its options. */
void fstab_append_relaxed(const struct fstab_line *line, struct buffer *out);

/* The type that the table gives the root: "ext4", "xfs"; empty when it names none. */
struct slice fstab_root_type(struct slice text);

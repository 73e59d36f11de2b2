/* SPDX-License-Identifier: MulanPSL-2.0 */
/*
 * What is on a disk, asked of the disk itself: every question is a read.
 */
#pragma once

#include "initramfs/disk_state.h"

/*
 * Fills what disk_find has left: size, signatures, who uses it, whether its ends are empty, our
 * stamp. What keeps us from looking stands in facts->error. Without an fd (-1) it opens the node
 * itself, exclusively where nobody of group os has it.
 */
void disk_look(struct disk_facts *facts, int fd);

/*
 * Takes the lock that udev looks at while it probes (systemd.io/BLOCK_DEVICE_LOCKING) on the whole
 * disk of an fd. Waits a few seconds for it. Returns 0 or -errno.
 */
int disk_look_lock(int fd);

/* How much at each end has to be empty, and is emptied when a disk is cleared. */
#define DISK_HEAD_BYTES ((uint64_t)8 << 20)
#define DISK_TAIL_BYTES ((uint64_t)8 << 20)

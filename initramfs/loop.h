/* SPDX-License-Identifier: MulanPSL-2.0 */
/*
 * A file as a read-only block device (loop(4)).
 */
#pragma once

#define LOOP_NODE_MAX 32

/*
 * Binds a free loop device to the file and writes its node to node[LOOP_NODE_MAX]; it frees itself
 * when its last user has gone. Loads the module where /dev/loop-control is not there yet: the one
 * process this may cost. Returns an open fd of the device, to be held until it is mounted, or
 * -errno.
 */
int loop_attach(const char *path, char *node);

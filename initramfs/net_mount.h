/* SPDX-License-Identifier: MulanPSL-2.0 */
/*
 * The directory of a file server that a plan names, mounted.
 */
#pragma once

#include "initramfs/plan.h"

/*
 * Mounts the NFS or CIFS root of a plan on `target`, read-only whatever the plan says if asked so.
 * Looks for the server at its port first, since the kernel's own waiting takes minutes and says
 * little. Who cannot be reached is tried again, waiting longer each time, until cci.timeout has
 * gone by and cci.retry tries have been made; a refusal ends it at once. Returns 0, or -ECANCELED
 * when the failure has been told.
 */
int net_mount(const struct plan *plan, const char *target, bool read_only);

/* SPDX-License-Identifier: MulanPSL-2.0 */
/*
 * The step that fits a new root for this machine and this job, before initrd-root-fs.target: after
 * it systemd reads the root's fstab.
 */
#pragma once

#include "initramfs/plan.h"

/*
 * Copies what the initramfs brought along (compass-ci-protocol.md 6.3: custom_bootstrap, /lkp with
 * its addon tree, /opt, /usr/local, /usr/src, modules and firmware of this kernel) into a root that
 * may be written to; a read-only one gets /lkp as a tmpfs. Keeps fstab from stopping the boot,
 * hands over network and resolv.conf (and with an overlay machine-id), hides the layers, and sends
 * how the boot went, if that takes no time. Returns 0, or -ECANCELED when the failure has been
 * told.
 */
int deploy(const struct plan *plan);

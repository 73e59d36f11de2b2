/* SPDX-License-Identifier: MulanPSL-2.0 */
/*
 * What a machine that asks "what do I boot?" is told. /boot.ipxe/mac/<mac> comes here through the
 * API; the first script, boot.ipxe, through TFTP as well.
 */
#pragma once

#include <stdint.h>

#include "lib/base/buffer.h"
#include "lib/base/usec.h"

struct boot_service;

/*
 * Appends the boot.ipxe for the client at `peer`, which came in at our address `local`: it chains
 * to /boot.ipxe/mac/${mac:hexhyp}?b=<session>, waits and tries again on failure. The session is
 * that of the peer's lease (bumped by dhcp_service at each new iPXE DHCP round), so that a boot
 * request asked again is told from a new boot. Records ipxe.script. Returns 0 or -errno.
 */
int boot_service_first_script(struct boot_service *boot, uint32_t peer, uint32_t local, usec_t now,
                              usec_t wall, struct buffer *out);

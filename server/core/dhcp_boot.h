/* SPDX-License-Identifier: MulanPSL-2.0 */
/*
 * Which file a client boots next. Who speaks decides before the architecture does, so that iPXE
 * never gets itself again.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "server/core/dhcp_config.h"
#include "server/proto/dhcp_query.h"

/*
 * Writes the boot file: nothing for an OS; for iPXE the script, unless it cannot do HTTP, then the
 * loader of its architecture; for firmware that loader; for firmware that boots by HTTP a URL on
 * `server`.
 * Returns 0 (with the empty text when the client needs none), or DHCP_BOOT_UNKNOWN when there is
 * nothing for what this client is: it gets an address only. A URL never goes to TFTP firmware, a
 * bare name never to HTTP firmware.
 */
enum { DHCP_BOOT_UNKNOWN = 1 };
int dhcp_boot_file(const struct dhcp_config *config, const struct dhcp_query *query,
                   uint32_t server, char *ret, size_t size);

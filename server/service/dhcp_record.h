/* SPDX-License-Identifier: MulanPSL-2.0 */
/*
 * What a DHCP exchange leaves in the event table.
 */
#pragma once

#include "lib/base/usec.h"
#include "server/core/dhcp_decide.h"

struct db;

/*
 * Appends the events of one packet inside the caller's transaction: of firmware dhcp.discover with
 * dhcp.offer, and dhcp.ack; of iPXE ipxe.dhcp, once a boot. Nothing of an OS. Fields: address, arch
 * (option 93), file. now is monotonic, wall the time of leases.
 * Returns 0 or -errno.
 */
int dhcp_record(struct db *db, const struct dhcp_query *query, const struct dhcp_decision *decision,
                usec_t now, usec_t wall);

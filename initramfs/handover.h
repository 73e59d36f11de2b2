/* SPDX-License-Identifier: MulanPSL-2.0 */
/*
 * What the system that follows must know of this one: names of servers, its own identity, and the
 * lease of its network, which nobody would renew otherwise.
 */
#pragma once

/* Gives the initramfs itself a resolv.conf from networkd's leases, unless it has one. */
void handover_resolver(void);

/* Fills in resolv.conf and machine-id of the new root where it has none that is of use. */
void handover_root(int root_fd);

/* Leaves .network and .link files in /run/systemd/network for each link that has a lease. */
void handover_network(void);

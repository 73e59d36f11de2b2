/* SPDX-License-Identifier: MulanPSL-2.0 */
/*
 * What the system that follows must know of this one: names of servers, its own identity, and the
 * lease of its network, which nobody would renew otherwise.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

/* Gives the initramfs itself a resolv.conf from networkd's leases, unless it has one. */
void handover_resolver(void);

/* Copies the file server that networkd's leases name. False: none does. */
bool handover_find_server(char *to, size_t size);

/* Fills in resolv.conf of the new root where it has none that is of use. */
void handover_names(int root_fd);

/* The same for machine-id. Not for a root that outlives the boot: that is its own affair. */
void handover_identity(int root_fd);

/*
 * Leaves .network and .link files in /run/systemd/network for each link that has an address: from a
 * lease of networkd, or as the kernel knows it where somebody else (dracut's scripts,
 * NetworkManager) put it there.
 */
void handover_network(void);

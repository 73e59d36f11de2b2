/* SPDX-License-Identifier: MulanPSL-2.0 */
/*
 * A network interface of this machine as it is now.
 */
#pragma once

#include <net/if.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/format/netaddr.h"

#define NETIF_ADDRESSES_MAX 16

struct netif {
	char name[IF_NAMESIZE];
	unsigned index;
	struct mac mac; /* zero when it has no Ethernet address */
	size_t mtu;
	uint32_t addresses[NETIF_ADDRESSES_MAX]; /* IPv4, host order, as the kernel lists them */
	size_t n_addresses;
};

/*
 * Looks an interface up by name. Returns 0, or -errno: -ENODEV when there is none of that name.
 * Cost: O(interfaces of the machine).
 */
int netif_get(const char *name, struct netif *ret);

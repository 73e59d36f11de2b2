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

/*
 * Looks again at an interface that netif_get found. Returns 0; NETIF_GONE: there is none of its
 * name now, *netif stays as it was; NETIF_ANEW: there is another one of that name, to which a
 * socket bound to the old one does not listen; or -errno when that could not be found out.
 */
enum { NETIF_GONE = 1, NETIF_ANEW = 2 };
int netif_refresh(struct netif *netif);

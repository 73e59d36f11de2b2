/* SPDX-License-Identifier: MulanPSL-2.0 */
/*
 * The IPv4 addresses that the kernel has, whoever put them there (rtnetlink(7)).
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#define NET_ADDRESS_TEXT_MAX 20 /* "255.255.255.255/32" */
#define NET_ADDRESSES_MAX    32

struct net_address {
	unsigned index;                  /* of its interface */
	char text[NET_ADDRESS_TEXT_MAX]; /* ADDRESS/PREFIX */
	bool is_lease;                   /* it ends unless somebody renews it */
};

/* Lists the addresses that reach beyond their link. Returns how many there are, or -errno. */
int net_address_list(struct net_address addresses[NET_ADDRESSES_MAX]);

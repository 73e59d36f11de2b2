/* SPDX-License-Identifier: MulanPSL-2.0 */
/*
 * Ethernet and IPv4 addresses as values. An IPv4 address is a number in host order everywhere
 * outside a codec.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "lib/base/bytes.h"

struct mac {
	uint8_t octet[6];
};

#define MAC_TEXT_MAX  18 /* 17 characters and a NUL */
#define IPV4_TEXT_MAX 16

struct ipv4_net {
	uint32_t address; /* as written, host bits kept */
	unsigned prefix;  /* 0..32 */
};

enum { NETADDR_BAD = 1 };

/*
 * Parses six pairs of hexadecimal digits in any case, separated by `:` or `-` (one kind in one
 * address), as Compass-CI's clients send both. Returns 0 or NETADDR_BAD.
 */
int mac_parse(struct slice text, struct mac *ret);

/* Writes aa:bb:cc:dd:ee:ff (or with '-'), lower case. Returns `to`. */
const char *mac_format(struct mac mac, char separator, char to[MAC_TEXT_MAX]);

bool mac_equal(struct mac a, struct mac b);
bool mac_is_zero(struct mac mac);

/* Dotted quad, four decimal numbers without leading zeros. Returns 0 or NETADDR_BAD. */
int ipv4_parse(struct slice text, uint32_t *ret);

/* Writes a dotted quad. Returns `to`. */
const char *ipv4_format(uint32_t address, char to[IPV4_TEXT_MAX]);

/* a.b.c.d/n. Returns 0 or NETADDR_BAD. */
int ipv4_net_parse(struct slice text, struct ipv4_net *ret);

static inline uint32_t ipv4_net_mask(unsigned prefix)
{
	return prefix == 0 ? 0 : UINT32_MAX << (32 - prefix);
}

static inline bool ipv4_net_contains(struct ipv4_net net, uint32_t address)
{
	return ((net.address ^ address) & ipv4_net_mask(net.prefix)) == 0;
}

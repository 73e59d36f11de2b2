/* SPDX-License-Identifier: MulanPSL-2.0 */
/*
 * What the DHCP server is told: a plain value. The reader of ccid.yaml fills it; everything here
 * has been checked by then.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "lib/format/netaddr.h"
#include "server/proto/dhcp_arch.h"

#define DHCP_SUBNETS_MAX 16
#define DHCP_DNS_MAX     4
#define DHCP_LOADERS_MAX 64  /* more than architectures are registered */
#define DHCP_SCRIPT_MAX  128 /* the `file` field of a message, with its NUL */

enum dhcp_mode {
	DHCP_MODE_FULL, /* we are the only DHCP server of these subnets */
	DHCP_MODE_OFF,  /* nothing is answered */
};

/* What makes two clients the same one. */
enum dhcp_key {
	DHCP_KEY_MAC,       /* firmware, iPXE and the OS of one card share one lease */
	DHCP_KEY_CLIENT_ID, /* option 61 where it is sent (RFC 2131 section 4.2), else the MAC */
};

struct dhcp_subnet {
	struct ipv4_net net;
	uint32_t first, last;       /* range to give from, both included; 0: reservations only */
	uint32_t router;            /* option 3; 0: none is told */
	uint32_t dns[DHCP_DNS_MAX]; /* option 6 */
	size_t n_dns;
	uint32_t lease_sec; /* 1..; UINT32_MAX means for ever (RFC 2131 section 3.3) */
};

/* An address that only this MAC gets; in one of the subnets, inside a range or not. */
struct dhcp_reservation {
	struct mac mac;
	uint32_t address;
};

struct dhcp_config {
	enum dhcp_mode mode;
	enum dhcp_key key;
	struct dhcp_subnet subnets[DHCP_SUBNETS_MAX];
	size_t n_subnets;
	struct dhcp_loader loaders[DHCP_LOADERS_MAX]; /* over the default table of dhcp_arch */
	size_t n_loaders;
	/* Borrowed, unordered, no MAC and no address twice; lives as long as the configuration. */
	const struct dhcp_reservation *reservations;
	size_t n_reservations;
	uint32_t boot_server; /* next-server and URLs; 0: our address on the arrival interface */
	char ipxe_script[DHCP_SCRIPT_MAX]; /* boot file of iPXE; empty: "boot.ipxe" */
	/*
	 * Where HTTPClient firmware finds the TFTP root: http://SERVER:PORT/PREFIX/LOADER. Port 0:
	 * only loaders configured as whole URLs are told to such firmware.
	 */
	uint16_t http_port;
	char http_prefix[64]; /* "/tftp": begins with '/', does not end with it; or empty */
};

/* The subnet which that address lies in, or NULL. */
const struct dhcp_subnet *dhcp_config_subnet(const struct dhcp_config *config, uint32_t address);

/* The address reserved for that MAC inside the subnet, or 0. Cost: O(reservations). */
uint32_t dhcp_config_reservation(const struct dhcp_config *config, const struct dhcp_subnet *subnet,
                                 struct mac mac);

/* SPDX-License-Identifier: MulanPSL-2.0 */
/*
 * One lease: who has which address until when, and which boot it is in.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "lib/base/bytes.h"
#include "lib/base/usec.h"
#include "lib/format/netaddr.h"

#define LEASE_KEY_MAX      255 /* a whole option 61 */
#define LEASE_HOSTNAME_MAX 64
#define LEASE_FOR_EVER     ((usec_t)INT64_MAX) /* expires_wall of a lease without end */

/*
 * What makes two clients the same: hardware type and address (7 bytes, as most clients send it in
 * option 61), or option 61 as sent.
 */
struct lease_key {
	uint8_t len;
	uint8_t octet[LEASE_KEY_MAX];
};

struct lease {
	struct lease_key key;
	struct mac mac;
	uint32_t address;    /* host order */
	usec_t expires_wall; /* past: the former address, free for others but kept in mind */
	usec_t seen_wall;    /* of the last ACK */
	bool has_arch;
	uint16_t arch; /* option 93 of its firmware or iPXE, the last that sent one */
	char hostname[LEASE_HOSTNAME_MAX]; /* option 12; empty when none */
	int64_t session;      /* boot session, see service/boot_service; 0: never booted */
	uint32_t session_xid; /* of the iPXE round which made that session */
};

static inline struct slice lease_key_slice(const struct lease_key *key)
{
	return slice_make(key->octet, key->len);
}

/* The key of a card: 1 for Ethernet, then the MAC. */
static inline struct lease_key lease_key_from_mac(struct mac mac)
{
	struct lease_key key = { .len = 7, .octet = { 1 } };

	memcpy(key.octet + 1, mac.octet, sizeof(mac.octet));
	return key;
}

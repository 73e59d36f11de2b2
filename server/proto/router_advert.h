/* SPDX-License-Identifier: MulanPSL-2.0 */
/*
 * Router solicitation and advertisement (RFC 4861 sections 4.1, 4.2). We are no router; but iPXE
 * waits some 16 seconds for an advertisement at each boot, and one that says "no router, no prefix,
 * no DHCPv6" ends that wait at once.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/base/bytes.h"
#include "lib/format/netaddr.h"

#define ROUTER_SOLICIT_TYPE 133
#define ROUTER_ADVERT_TYPE  134
#define ROUTER_ADVERT_MAX   32
#define ROUTER_HOP_LIMIT    255 /* a packet that was never forwarded (RFC 4861 section 6.1.1) */

struct router_solicit {
	struct mac mac; /* of the source link-layer option; zero when it was left out */
};

/*
 * Parses an ICMPv6 message, from its type on. hop_limit and source come from its IPv6 header. The
 * checksum is the kernel's to check.
 * Returns 0, or why it is dropped (RFC 4861 section 6.1.1).
 */
enum router_solicit_outcome {
	ROUTER_SOLICIT_OTHER = 1, /* another type of message */
	ROUTER_SOLICIT_FORWARDED, /* came from another link */
	ROUTER_SOLICIT_SHORT,
	ROUTER_SOLICIT_BAD_CODE,
	ROUTER_SOLICIT_BAD_OPTIONS, /* an option of no length, or past the end */
	ROUTER_SOLICIT_BAD_SOURCE,  /* names a link-layer address but comes from `::` */
	_ROUTER_SOLICIT_OUTCOME_MAX,
};
int router_solicit_parse(struct slice message, unsigned hop_limit, bool source_is_unspecified,
                         struct router_solicit *ret);

/*
 * Appends an advertisement with router lifetime 0, no flags and no prefix, and the option with our
 * link-layer address unless mac is zero. The checksum is left 0: a raw ICMPv6 socket fills it
 * (RFC 3542 section 3.1).
 */
void router_advert_build(struct mac mac, struct bytes *out);

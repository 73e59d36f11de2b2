/* SPDX-License-Identifier: MulanPSL-2.0 */
/*
 * The wire form of an answer: which options go in, in what order, within what size.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "lib/base/bytes.h"
#include "server/proto/dhcp_query.h"

#define DHCP_REPLY_SIZE_MAX 1472 /* of an Ethernet frame, less the headers of IP and UDP */
#define DHCP_REPLY_DNS_MAX  4
#define DHCP_BOOT_FILE_MAX  256 /* option 67 with a NUL */

struct dhcp_reply {
	enum dhcp_type type; /* DHCP_OFFER, DHCP_ACK or DHCP_NAK */
	uint32_t yiaddr;     /* 0 for a NAK and for the ACK of an INFORM */
	uint32_t server_id;
	uint32_t lease_sec; /* 0: no lease times are told (INFORM) */
	unsigned prefix;    /* of the subnet */
	uint32_t router;    /* 0: none */
	uint32_t dns[DHCP_REPLY_DNS_MAX];
	size_t n_dns;
	uint32_t next_server;               /* siaddr and option 66 */
	char boot_file[DHCP_BOOT_FILE_MAX]; /* empty: none */
	const char *message;                /* option 56 of a NAK; may be NULL */
};

/*
 * The most bytes of DHCP that the answer may have: option 57 less 28 (it counts the IP datagram:
 * the cautious reading), 548 without it, never more than the interface's mtu carries, never less
 * than what each host must take (RFC 2131 section 2).
 */
size_t dhcp_reply_limit(const struct dhcp_query *query, size_t mtu);

/*
 * Builds the answer to a query into `out`, which must be empty: at most `limit` bytes, at least
 * 300, END before the padding.
 *
 * Fields xid, hardware address, flags and giaddr are the client's; options 61 (RFC 6842) and 97
 * come back as sent, 82 as the last one (RFC 3046 section 2.2). What the client did not ask for
 * (55) is left out, save what it needs in order to boot. PXE firmware gets option 60 `PXEClient`
 * with 43.6=8 (boot file as told, no discovery: PXE 2.1 section 2.2), HTTP firmware `HTTPClient`,
 * iPXE 175.176=1 (nobody else to wait for). When space is short `sname` and `file` are used for
 * options too, but not towards firmware; and what then does not fit is left out, the order of
 * importance being the order in the source; type, server, lease time, netmask and option 82 are
 * never left out.
 *
 * Returns 0, or DHCP_REPLY_NO_ROOM when the answer would be useless: a boot file that the client
 * cannot be told, or an option 82 too long for the limit.
 */
enum { DHCP_REPLY_NO_ROOM = 1 };
int dhcp_reply_build(const struct dhcp_query *query, const struct dhcp_reply *reply, size_t limit,
                     struct bytes *out);

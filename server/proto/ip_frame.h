/* SPDX-License-Identifier: MulanPSL-2.0 */
/*
 * An IPv4 datagram with UDP in it, headers and checksums made by hand: for a client that has no
 * address yet and would not answer ARP.
 */
#pragma once

#include <stdint.h>

#include "lib/base/bytes.h"

#define IP_FRAME_HEADERS 28 /* 20 of IPv4 without options, 8 of UDP */

struct ip_frame {
	uint32_t source, destination; /* host order */
	uint16_t source_port, destination_port;
	uint16_t id; /* identification: should differ from datagram to datagram */
};

/*
 * Appends both headers and the payload (RFC 791, RFC 768), ready for a packet socket of the IP
 * layer. A payload of more than 65507 bytes, or one that does not fit, sets out->overflow.
 */
void ip_frame_build(const struct ip_frame *frame, struct slice payload, struct bytes *out);

/* Checksum of the internet (RFC 1071) over bytes, added to `sum` of the parts before; not yet
 * inverted. All parts but the last have an even length. */
uint32_t ip_checksum_add(uint32_t sum, struct slice part);

/* The folded, inverted sum: what stands in a header. */
uint16_t ip_checksum_finish(uint32_t sum);

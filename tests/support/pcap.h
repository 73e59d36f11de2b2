/* SPDX-License-Identifier: MulanPSL-2.0 */
/*
 * Reader of capture files: classic pcap, microseconds, our byte order, Ethernet.
 */
#pragma once

#include <stdbool.h>

#include "lib/base/bytes.h"

#define PCAP_MAGIC       0xa1b2c3d4
#define PCAP_FILE_HEADER 24
#define PCAP_HEADER      16
#define PCAP_ETHERNET    14

static inline bool pcap_is_good(struct slice file)
{
	uint32_t magic, link;

	if (file.len < PCAP_FILE_HEADER)
		return false;
	memcpy(&magic, file.data, 4);
	memcpy(&link, file.data + 20, 4);
	return magic == PCAP_MAGIC && link == 1;
}

/* The next frame; *offset is 0 at first. False at the end. */
static inline bool pcap_next(struct slice file, size_t *offset, struct slice *ret_frame)
{
	uint32_t len;

	if (*offset == 0)
		*offset = PCAP_FILE_HEADER;
	if (file.len < *offset + PCAP_HEADER)
		return false;
	memcpy(&len, file.data + *offset + 8, 4);
	*ret_frame = slice_sub(file, *offset + PCAP_HEADER, len);
	*offset += PCAP_HEADER + len;
	return ret_frame->len == len;
}

struct pcap_udp {
	uint8_t source_mac[6], destination_mac[6];
	uint32_t source, destination;
	uint16_t source_port, destination_port;
	struct slice payload;
};

/* A frame as UDP over IPv4; false when it is something else. */
static inline bool pcap_udp(struct slice frame, struct pcap_udp *ret)
{
	const uint8_t *ip = frame.data + PCAP_ETHERNET;
	size_t header;

	if (frame.len < PCAP_ETHERNET + 28 || get_be16(frame.data + 12) != 0x0800 || ip[9] != 17)
		return false;
	header = 4 * (size_t)(ip[0] & 15);
	*ret = (struct pcap_udp){
		.source = get_be32(ip + 12),
		.destination = get_be32(ip + 16),
		.source_port = get_be16(ip + header),
		.destination_port = get_be16(ip + header + 2),
		.payload = slice_sub(frame, PCAP_ETHERNET + header + 8,
		                     (size_t)get_be16(ip + header + 4) - 8),
	};
	memcpy(ret->destination_mac, frame.data, 6);
	memcpy(ret->source_mac, frame.data + 6, 6);
	return true;
}

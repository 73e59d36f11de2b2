/* SPDX-License-Identifier: MulanPSL-2.0 */
#include "server/proto/ip_frame.h"

#define IP_SIZE      20
#define UDP_SIZE     8
#define PROTOCOL_UDP 17
#define TTL          64
#define TOS_CONTROL  0xc0 /* class selector 6, network control (RFC 2474): ahead of bulk data */
#define DATAGRAM_MAX 65535

uint32_t ip_checksum_add(uint32_t sum, struct slice part)
{
	uint64_t total = sum;

	for (; part.len >= 2; (void)slice_take(&part, 2))
		total += get_be16(part.data);
	if (part.len > 0)
		total += (uint32_t)part.data[0] << 8;
	while (total >> 32)
		total = (total & UINT32_MAX) + (total >> 32);
	return (uint32_t)total;
}

uint16_t ip_checksum_finish(uint32_t sum)
{
	while (sum >> 16)
		sum = (sum & 0xffff) + (sum >> 16);
	return (uint16_t)~sum;
}

static void make_ip(const struct ip_frame *frame, size_t len, uint8_t ip[IP_SIZE])
{
	memset(ip, 0, IP_SIZE);
	ip[0] = 0x45; /* version 4, five words of header */
	ip[1] = TOS_CONTROL;
	put_be16(ip + 2, (uint16_t)len);
	put_be16(ip + 4, frame->id);
	ip[8] = TTL;
	ip[9] = PROTOCOL_UDP;
	put_be32(ip + 12, frame->source);
	put_be32(ip + 16, frame->destination);
	put_be16(ip + 10, ip_checksum_finish(ip_checksum_add(0, slice_make(ip, IP_SIZE))));
}

/* Over the pseudo header, the UDP header and the payload (RFC 768). */
static uint16_t udp_checksum(const uint8_t ip[IP_SIZE], const uint8_t udp[UDP_SIZE],
                             struct slice payload)
{
	uint8_t tail[4] = { 0, PROTOCOL_UDP, udp[4], udp[5] };
	uint32_t sum = ip_checksum_add(0, slice_make(ip + 12, 8));
	uint16_t checksum;

	sum = ip_checksum_add(sum, slice_make(tail, sizeof(tail)));
	sum = ip_checksum_add(sum, slice_make(udp, UDP_SIZE));
	checksum = ip_checksum_finish(ip_checksum_add(sum, payload));
	return checksum ? checksum : 0xffff; /* 0 would say that there is none */
}

void ip_frame_build(const struct ip_frame *frame, struct slice payload, struct bytes *out)
{
	uint8_t ip[IP_SIZE], udp[UDP_SIZE] = { 0 };

	if (payload.len > DATAGRAM_MAX - IP_SIZE - UDP_SIZE) {
		out->overflow = true;
		return;
	}
	make_ip(frame, IP_SIZE + UDP_SIZE + payload.len, ip);
	put_be16(udp, frame->source_port);
	put_be16(udp + 2, frame->destination_port);
	put_be16(udp + 4, (uint16_t)(UDP_SIZE + payload.len));
	put_be16(udp + 6, udp_checksum(ip, udp, payload));
	bytes_append(out, ip, sizeof(ip));
	bytes_append(out, udp, sizeof(udp));
	bytes_append_slice(out, payload);
}

/* SPDX-License-Identifier: MulanPSL-2.0 */
/*
 * Packets of DHCP clients, made by hand: a header that a test may change, then options.
 */
#pragma once

#include "lib/base/bytes.h"
#include "lib/base/macro.h"
#include "server/proto/dhcp_message.h"

struct client_packet {
	struct dhcp_message header;
	uint8_t options[1400];
	size_t n_options;
	uint8_t wire[2048];
};

/* A packet of the card 52:54:00:12:34:56 with that message type. */
static inline void client_init(struct client_packet *c, enum dhcp_type type)
{
	static const uint8_t mac[6] = { 0x52, 0x54, 0x00, 0x12, 0x34, 0x56 };
	const uint8_t option[3] = { DHCP_OPTION_TYPE, 1, (uint8_t)type };

	*c = (struct client_packet){ .header = { .op = DHCP_OP_REQUEST,
		                                 .htype = DHCP_HTYPE_ETHERNET,
		                                 .hlen = 6,
		                                 .xid = 0x11223344 } };
	memcpy(c->header.chaddr, mac, sizeof(mac));
	memcpy(c->options, option, sizeof(option));
	c->n_options = sizeof(option);
}

static inline void client_add(struct client_packet *c, uint8_t code, struct slice value)
{
	struct bytes out = { .data = c->options, .len = c->n_options, .cap = sizeof(c->options) };

	dhcp_option_append(&out, code, value);
	c->n_options = out.len;
}

static inline void client_add_u32(struct client_packet *c, uint8_t code, uint32_t v)
{
	uint8_t wire[4];

	put_be32(wire, v);
	client_add(c, code, slice_make(wire, sizeof(wire)));
}

static inline void client_add_u16(struct client_packet *c, uint8_t code, uint16_t v)
{
	uint8_t wire[2];

	put_be16(wire, v);
	client_add(c, code, slice_make(wire, sizeof(wire)));
}

static inline void client_add_text(struct client_packet *c, uint8_t code, const char *text)
{
	client_add(c, code, slice_from_text(text));
}

/* What PXE firmware adds. */
static inline void client_add_pxe(struct client_packet *c, uint16_t arch)
{
	static const char classes[][40] = { "PXEClient:Arch:00000:UNDI:002001",
		                            "PXEClient:Arch:00007:UNDI:003016" };
	static const uint8_t uuid[17] = {
		0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16
	};

	client_add_u16(c, DHCP_OPTION_ARCH, arch);
	client_add_text(c, DHCP_OPTION_VENDOR_CLASS, classes[arch != 0]);
	client_add(c, DHCP_OPTION_UUID, slice_make(uuid, sizeof(uuid)));
	client_add(c, DHCP_OPTION_PARAMETERS, SLICE_LITERAL("\1\3\6\53\74\102\103"));
}

/* What iPXE adds to that. */
static inline void client_add_ipxe(struct client_packet *c, uint16_t arch)
{
	client_add_pxe(c, arch);
	client_add_text(c, DHCP_OPTION_USER_CLASS, "iPXE");
	client_add(c, DHCP_OPTION_IPXE, SLICE_LITERAL("\xb1\5\1\x1a\xf4\x10\0\x13\1\1\x18\1\1"));
	client_add_u16(c, DHCP_OPTION_MAX_SIZE, 1472);
}

/* The packet as bytes; valid until the next call. */
static inline struct slice client_wire(struct client_packet *c)
{
	struct bytes out = BYTES_ON(c->wire);

	dhcp_message_build(&c->header, &out);
	bytes_append(&out, c->options, c->n_options);
	bytes_append_u8(&out, DHCP_OPTION_END);
	return bytes_slice(&out);
}
